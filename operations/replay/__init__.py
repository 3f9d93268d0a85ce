"""Replay of decisions: every past one proven from the log, and what would have differed."""
