"""Owns the command line; what a command does lives in the packages below it."""
