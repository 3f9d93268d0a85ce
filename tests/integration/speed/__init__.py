"""Regressions of speed, in ratios that another machine and its load do not change much."""
