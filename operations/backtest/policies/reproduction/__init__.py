"""Reproduction: whether a backtest of the live policy decides what was decided live."""
