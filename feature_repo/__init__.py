"""Owns what Feast is told: entities, views and services; computes and stores nothing itself."""
