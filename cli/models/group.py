"""The command group `retrace models`, and what its commands share."""

from typing import Annotated, Any

import typer

group = typer.Typer(help="List, compare, promote, roll out, roll back and retire models.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Named = Annotated[str, typer.Argument(help="Id of a model, or the beginning of its hash.")]


def cell(value: Any) -> str:
    """The text of a value in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
