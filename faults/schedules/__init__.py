"""Schedules: which faults come when."""
