"""Owns what a long command says when it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def interruptible(what_goes_on: str) -> Iterator[None]:
    """Says what goes on with the work, and lets the interruption through."""
    try:
        yield
    except (KeyboardInterrupt, SystemError) as error:
        # CPython wraps what is raised while it is in the middle of a call out of C.
        if isinstance(error, SystemError) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        typer.echo(f"interrupted; {what_goes_on} goes on with this run", err=True)
        raise KeyboardInterrupt from error
