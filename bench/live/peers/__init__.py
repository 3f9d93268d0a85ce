"""Peers of the folded states, on the same events: Faust, PostgreSQL alone, Feast's server."""
