"""Ledger: what one process knows of each transaction id, from its own tail of the log."""
