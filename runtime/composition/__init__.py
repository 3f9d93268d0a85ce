"""Ports bound to adapters, by the settings."""
