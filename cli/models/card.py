"""`retrace models card`: training data, quality and feature importance of a model."""

import json
import sys

import typer

from cli.models.group import AsJson, Named, group


def register() -> None:
    """Adds the command to `retrace models`."""
    group.command()(card)


def card(model: Named, as_json: AsJson = False) -> None:
    """What a model learnt from, how good it is at each maturity of labels, and what moves it."""
    from inference.artefacts.store import ArtefactStore
    from inference.evaluation.card.folder import read_card
    from runtime.settings import settings_from_environment

    # Only the folder is read: no server has to run.
    models = settings_from_environment().models_dir
    content, text, folder = read_card(models, ArtefactStore(models).find(model))
    if as_json:
        print(json.dumps(content | {"folder": str(folder)}))
        return
    _print(text)
    pictures = sorted(path.name for path in folder.glob("*.png"))
    typer.echo(f"\nPlots in {folder}: {', '.join(pictures) or 'none'}", err=True)


def _print(text: str) -> None:
    """Rendered on a terminal, plain elsewhere; plots are named at the end instead."""
    if not sys.stdout.isatty():
        print(text, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text.partition("\n## Plots")[0]))
