"""Feast and Redis."""
