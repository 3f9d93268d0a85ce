"""Owns `retrace train-job`: one pod's part of a training, its place taken from the environment."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.training.train import FeatureValues, begin, shown, store, summary_of, tell

if TYPE_CHECKING:
    from operations.training.cluster_job import Place
    from operations.training.runs import TrainingRun


def _from(variable: str, text: str, **more: Any) -> Any:
    return typer.Option(envvar=variable, help=text, **more)


def train_job(
    index: Annotated[int, _from("JOB_COMPLETION_INDEX", "Which worker this is.", min=0)],
    workers: Annotated[int, _from("RETRACE_TRAINING_WORKERS", "How many there are.", min=1)],
    name: Annotated[str, _from("RETRACE_TRAINING_NAME", "Worker I is the host NAME-I.SERVICE.")],
    service: Annotated[str, _from("RETRACE_TRAINING_SERVICE", "Name of the headless Service.")],
    job: Annotated[str, _from("RETRACE_TRAINING_JOB", "Tells jobs of one name apart.")],
    port: Annotated[
        int, _from("RETRACE_TRAINING_PORT", "On which workers listen.", min=1, max=65535)
    ] = 2222,
    wait: Annotated[
        float, _from("RETRACE_TRAINING_WAIT", "Seconds in which worker 0 has read the log.", min=0)
    ] = 3600,
    as_known_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Use what was known then.", show_default="now"),
    ] = None,
    features: Annotated[FeatureValues, typer.Option(help="As of `retrace train`.")] = "ideal",
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Put the model in force.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take part in a training of several machines, which share the state folder.

    Worker 0 reads the log, stores the model and puts it in force. A worker that loses another ends
    with an error; started again, all go on from the last checkpoint (deploy/k8s/training-job.yaml).
    """
    from operations.training.cluster_job import Place, led
    from operations.training.runs import trained_by
    from runtime.settings import load_settings, settings_from_environment

    place = Place(job, index, workers, name, service, port)
    os.environ["TF_CONFIG"] = place.tf_config()
    if not place.cluster.chief:
        _follow(settings_from_environment().training_dir, place, wait)
        return
    started = time.monotonic()
    settings = load_settings()
    with shown() as progress:

        def begun() -> AbstractContextManager[TrainingRun]:
            return begin(settings, as_known_at, features, promote, seed, workers, progress)

        with led(settings.training_dir, place, begun) as run:
            if run is None:
                return
            trained = trained_by(run, progress, place.cluster)
            model_hash, card = store(settings, run, trained)
    summary = summary_of(trained, model_hash, run.asked.promote, time.monotonic() - started)
    tell(summary | {"card": card}, as_json)


def _follow(root: Path, place: Place, wait: float) -> None:
    from operations.training.cluster_job import met
    from operations.training.runs import trained_by

    with shown() as progress:
        progress(0.0, "waiting for worker 0 to begin the run")
        run = met(root, place, wait)
        if run is not None:
            trained_by(run, progress, place.cluster)
