"""`retrace models`: registration of its commands, in the order of its help."""

import typer

from cli.models import card, comparison, export, health, lifecycle, listing, watch
from cli.models.group import group


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="models", no_args_is_help=True)
    for each in (listing, comparison, lifecycle, export, health, watch, card):
        each.register()
