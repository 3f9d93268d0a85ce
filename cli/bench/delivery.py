"""Delivery of a benchmark's figures: a file under bench/results, and the terminal or stdout."""

from collections.abc import Callable
from typing import Any

import typer


def deliver(
    result: str, found: dict[str, Any], as_json: bool, show: Callable[[Any, dict[str, Any]], None]
) -> None:
    """Writes them; prints them as one JSON object, or has them shown on a console."""
    from rich.console import Console

    from bench.machine import written

    text = written(result, found)
    if as_json:
        typer.echo(text, nl=False)
    else:
        show(Console(highlight=False), found)
