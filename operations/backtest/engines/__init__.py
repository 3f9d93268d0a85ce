"""Engines: what carries out tasks of a backtest, here or on other machines."""
