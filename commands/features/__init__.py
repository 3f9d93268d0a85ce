"""Features in the log: which set is served."""
