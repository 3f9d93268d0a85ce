"""Feast's feature repository: entities, views and services."""
