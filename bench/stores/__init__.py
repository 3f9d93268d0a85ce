"""Benchmarks of what the projections keep."""
