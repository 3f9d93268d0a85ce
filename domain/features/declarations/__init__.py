"""Declarations of features: the catalogue and what it is written in."""
