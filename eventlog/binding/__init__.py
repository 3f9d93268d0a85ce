"""Binding of what was made from the log to that log: one that was made anew is noticed."""
