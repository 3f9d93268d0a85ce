"""Readers of JSON: one object on each line, or an array of them."""
