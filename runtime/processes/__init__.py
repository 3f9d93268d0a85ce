"""Processes: one module each, with its wiring in view."""
