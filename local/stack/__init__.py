"""Owns the local stack: real servers as supervised children. Not what runs on them."""
