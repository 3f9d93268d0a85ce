"""Commands that put Retrace to the test under faults."""
