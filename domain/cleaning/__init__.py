"""Cleaning: a payload from outside becomes a transaction. Reads no clock, key or file."""
