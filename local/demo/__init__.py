"""Owns `retrace demo`: history, training and live traffic in one go; decides nothing."""
