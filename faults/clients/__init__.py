"""Clients: what banks, producers and analysts send, and what they are told."""
