"""Monitoring: health of the deciding models, and lag of the projections."""
