"""Scheduling under a seed: virtual time, processes that die or pause, blocking calls."""
