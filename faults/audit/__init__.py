"""Audit of the whole system against its contract, from evidence gathered once it is quiet."""
