"""Proof of past decisions by itself: a sample now and then, by one of several hosts."""
