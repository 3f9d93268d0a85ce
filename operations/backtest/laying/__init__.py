"""Columns of a period laid down in files: by shards of entities and slices of known time."""
