"""Monitoring: a model's live traffic and labels against its training data."""
