"""Owns the comparison of a model's live traffic with its training data; reads no store."""
