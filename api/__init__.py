"""Owns the HTTP edge: routes, schemas and the map from errors to problem details; decides nothing."""
