"""The models of an installation: promote, compare, export."""
