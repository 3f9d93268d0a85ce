"""Agents that read the log and append to it."""
