"""`retrace demo`: history, training and live traffic, one after the other."""
