"""Faults on purpose, and what must still be true after them."""
