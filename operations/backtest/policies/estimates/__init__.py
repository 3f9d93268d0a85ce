"""Estimates of what a policy would do to payments whose labels the live policy's declines hide."""
