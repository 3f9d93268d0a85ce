"""Owns what is derived from the log: workers, read models and their stores; decides nothing."""
