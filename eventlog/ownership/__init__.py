"""Owners of partitions: which process answers for which transactions."""
