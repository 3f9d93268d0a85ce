"""`retrace bench`."""
