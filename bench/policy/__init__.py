"""Benchmarks of rules and lists."""
