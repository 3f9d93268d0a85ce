"""Owns the routes, one module per resource."""
