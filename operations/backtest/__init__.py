"""Backtests of models, replay of their decisions, champion against challenger."""
