"""Composition of what a process that decides needs, and of its share of the partitions."""
