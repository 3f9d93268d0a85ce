"""Projections: what is derived from the log, and the workers that keep it. Nothing here appends."""
