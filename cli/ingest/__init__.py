"""`retrace ingest`: history from files."""
