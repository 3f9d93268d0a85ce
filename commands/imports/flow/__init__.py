"""How fast an import appends: in scaled time, and as fast as what reads the log allows."""
