"""Owns the signal that one value cannot be cleaned; naming its field is the caller's."""

from __future__ import annotations


class UncleanError(ValueError):
    """The text says what was expected and never repeats the value: it may be a card number."""
