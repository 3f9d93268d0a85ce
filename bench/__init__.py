"""Benchmarks against peers, in one run on one machine; results lie under results/."""
