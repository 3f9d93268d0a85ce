"""Owns what may be asked of Retrace: imperative commands, their handlers and the ports they need."""
