"""Verification: features are bit-identical in the log, PostgreSQL, Redis, Feast and decisions."""
