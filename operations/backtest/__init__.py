"""Backtests of models, and decisions replayed."""
