"""Receivers of alerts that hold their published contracts."""
