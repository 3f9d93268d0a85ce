"""Intake of foreign input: payloads, cleaning, card tokens."""
