"""Owns the HTTP edge: routes, schemas, and the map from errors to problems; decides nothing."""
