"""Callback that reports the progress of long work."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""The part that is done, in [0, 1], and what is being done, in words."""
