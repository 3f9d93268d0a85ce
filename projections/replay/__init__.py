"""Replay of the log as a whole: ideal vectors, training sets."""
