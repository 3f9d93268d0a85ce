"""Benchmarks of the running product, with every server and projection at work."""
