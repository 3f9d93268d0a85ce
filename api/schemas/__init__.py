"""Owns what goes in and out over HTTP, as documented by OpenAPI."""
