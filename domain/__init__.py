"""Owns the pure model of fraud decisions; does no I/O, reads no clock and imports no vendor."""
