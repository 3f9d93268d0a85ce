"""`retrace models export` and `import`: to a model server's folder, to and from MLflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.models.group import AsJson, Named, group

if TYPE_CHECKING:
    from runtime.settings import Settings

Format = Literal["saved-model", "tflite"]
Say = Callable[[str], None]
_Result = tuple[str, dict[str, Any]]


def register() -> None:
    """Adds the commands to `retrace models`."""
    group.command("export")(export_model)
    group.command("import")(import_model)


def export_model(
    model: Named,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of a model server's models.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="What is written there.")
    ] = "saved-model",
    mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Make it a run at MLFLOW_TRACKING_URI.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a model as model servers load it, DIR/<name>/<version>/, or send it to MLflow.

    What is written is read back and checked against the scores of the model's training. No server
    of the stack has to run.
    """
    from cli.output import progress_shown
    from domain.errors import InvalidInputError
    from runtime.settings import settings_from_environment

    if (to is None) == (not mlflow):
        raise InvalidInputError("--to/--mlflow", "name one of them: --to DIR, or --mlflow")
    settings = settings_from_environment()
    with progress_shown() as (say, _):
        if to is None:
            text, facts = _to_mlflow(settings, model, say)
        else:
            say(f"writing {form} and checking its scores")
            text, facts = _to_folder(settings, model, to, form)
    print(json.dumps(facts) if as_json else text)


def _to_folder(settings: Settings, model: str, to: Path, form: Format) -> _Result:
    from operations.models.export import export
    from runtime.composition.models import artefacts_of

    store, name = artefacts_of(settings), settings.tf_serving_model
    made = export(store, model, to, name, form)
    return f"{made.model_id} is in {made.path}", {
        "model_id": made.model_id,
        "model_hash": made.model_hash,
        "name": made.name,
        "version": made.version,
        "path": str(made.path),
    }


def _to_mlflow(settings: Settings, model: str, say: Say) -> _Result:
    from operations.models.mlflow import export_run
    from runtime.composition.models import artefacts_of, open_mlflow

    with open_mlflow(settings) as server:
        store, experiment = artefacts_of(settings), settings.mlflow_experiment
        artefact, run_id = export_run(store, server, experiment, model, say)
    model_id = artefact.manifest.model_id
    facts = {"model_id": model_id, "model_hash": artefact.model_hash, "run_id": run_id}
    return f"{model_id} is run {run_id}", facts


def import_model(
    mlflow: Annotated[
        str, typer.Option("--mlflow", metavar="RUN_ID", help="A run at MLFLOW_TRACKING_URI.")
    ],
    as_json: AsJson = False,
) -> None:
    """Fetch a model from a run of MLflow, verify and register it; it is not promoted."""
    from cli.output import progress_shown
    from operations.models.mlflow import import_run
    from runtime.composition.models import open_mlflow, open_models
    from runtime.settings import load_settings

    settings = load_settings()
    with (
        progress_shown() as (say, _),
        open_mlflow(settings) as server,
        open_models(settings) as models,
    ):
        found = import_run(models, server, mlflow, say)
    facts = {"model_id": found.model_id, "model_hash": found.model_hash}
    print(json.dumps(facts) if as_json else f"{found.model_id} is stored, not in force")
