"""Composition of alerts on their way out."""
