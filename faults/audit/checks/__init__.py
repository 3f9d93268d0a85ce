"""Checks of one body of evidence, a module for each part of the contract."""
