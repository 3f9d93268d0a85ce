"""Owns the errors of the local stack, each telling what to do next."""

from __future__ import annotations

from domain.errors import RetraceError


class StackError(RetraceError):
    """The local stack cannot be started, stopped or read; the text says why and what to do."""
