"""Message of a long command when it is interrupted: how to continue."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def interruptible(command: str) -> Iterator[None]:
    """Says how to continue, and raises KeyboardInterrupt again."""
    try:
        yield
    except (KeyboardInterrupt, SystemError) as error:
        # CPython wraps what is raised while it is in the middle of a call out of C.
        if isinstance(error, SystemError) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        typer.echo(f"interrupted; {command} continues this run", err=True)
        raise KeyboardInterrupt from error
