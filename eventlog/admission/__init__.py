"""Deduplication: which record of a transaction id counts, and the memory for it."""
