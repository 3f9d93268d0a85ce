"""`retrace events`: the records of the log."""
