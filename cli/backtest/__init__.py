"""`retrace backtest`: a model, or whole policies, tried on the past."""
