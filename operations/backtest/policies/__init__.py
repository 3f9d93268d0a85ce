"""Backtests of whole policies: features, model, rules, lists and thresholds over any period."""
