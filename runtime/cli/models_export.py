"""Owns `retrace models export` and `import`: models that leave this installation, or come to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from runtime.cli.models import AsJson, Named, group

Format = Literal["saved-model", "tflite"]


def register() -> None:
    """Adds the commands to `retrace models`."""
    group.command("export")(export_model)


def export_model(
    model: Named,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder of a model server's models.")],
    form: Annotated[
        Format, typer.Option("--format", help="What is written there.")
    ] = "saved-model",
    as_json: AsJson = False,
) -> None:
    """Write a model as model servers load it: DIR/<name>/<version>/.

    What is written is read back and checked against the scores of the model's training. No server
    has to run.
    """
    from runtime.cli.features_shown import shown
    from runtime.model_export import export
    from runtime.settings import settings_from_environment

    with shown() as (say, _):
        say(f"writing {form} and checking its scores")
        made = export(settings_from_environment(), model, to, form)
    facts = {
        "model_id": made.model_id,
        "model_hash": made.model_hash,
        "name": made.name,
        "version": made.version,
        "path": str(made.path),
    }
    print(json.dumps(facts) if as_json else f"{made.model_id} is in {made.path}")
