"""Activation of feature sets."""
