"""Owns the adapters of projections to their stores; only runtime imports them."""
