"""The correlation id of what is being decided, for the lines that are logged meanwhile."""

from contextvars import ContextVar

CORRELATION: ContextVar[str] = ContextVar("correlation", default="")
"""Of the task that runs: the id of the submission's event; empty outside of decisions."""
