"""Scores of challengers that score along."""
