"""Owns the log as a port: topics, positions, codec, the void rule and the reader's memory of ids."""
