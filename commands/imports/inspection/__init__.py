"""Inspection of a file before its import: profiles of its columns, and a mapping to begin with."""
