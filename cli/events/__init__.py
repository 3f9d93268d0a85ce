"""`retrace events`: the log, record by record."""
