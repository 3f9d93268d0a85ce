"""Mapping of a file: how its columns become canonical fields, and how its values are read."""
