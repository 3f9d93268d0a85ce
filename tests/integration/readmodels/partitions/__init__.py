"""Partitions by time: made, pruned, and dropped."""
