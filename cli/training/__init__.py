"""`retrace train` and its processes."""
