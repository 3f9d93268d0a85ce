"""`retrace cases`."""
