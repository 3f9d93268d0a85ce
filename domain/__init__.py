"""The pure model of fraud decisions: no I/O, no clock, no vendor."""
