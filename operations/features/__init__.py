"""Owns what `retrace features` does; how it is shown is the command line's."""
