"""Owns the model card: what a model learnt from, how good it is, what moves it; trains nothing."""
