"""The error of the local stack; its text says what to do."""

from domain.errors import RetraceError


class StackError(RetraceError):
    """The local stack cannot be started, stopped or read; the text says why and what to do."""
