"""Histories of decisions for tests."""
