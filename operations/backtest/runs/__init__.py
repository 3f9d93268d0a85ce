"""Runs of backtests: recorded with all versions, repeated, and continued after an interruption."""
