"""Progress of long work, as its caller is told it."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""The part that is done, in [0, 1], and what is being done, in words."""
