"""The event log: topics, port, codec, admission, archive."""
