"""Owns the log as a port: topics, positions, codec, the void rule, the memory of ids."""
