"""Owns the proof that features are the same wherever they are kept; changes nothing it reads."""
