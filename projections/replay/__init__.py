"""Owns what is computed from the log as a whole: ideal vectors, training sets, states."""
