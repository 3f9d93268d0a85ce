"""Simulated traffic as files and requests."""
