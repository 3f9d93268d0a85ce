"""Builders of policies and of what they answer."""
