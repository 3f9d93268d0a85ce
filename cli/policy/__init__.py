"""`retrace policy`: rules from files to the log."""
