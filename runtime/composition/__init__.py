"""Composition: ports bound to adapters, by the settings."""
