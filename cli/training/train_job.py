"""Command `retrace train-job`: one pod's part of a training, placed by the environment."""

import time
from typing import Annotated, Any

import typer

from cli.output import parse_moment
from cli.training.output import exit_status, print_training, training_progress
from cli.training.train import FeatureValues, refuse_force_alone


def _from(variable: str, text: str, **more: Any) -> Any:
    return typer.Option(envvar=variable, help=text, **more)


def train_job(
    index: Annotated[int, _from("JOB_COMPLETION_INDEX", "Which worker this is.", min=0)],
    workers: Annotated[int, _from("RETRACE_TRAINING_WORKERS", "How many there are.", min=1)],
    job: Annotated[str, _from("RETRACE_TRAINING_JOB", "Tells jobs of one name apart.")],
    wait: Annotated[
        float, _from("RETRACE_TRAINING_WAIT", "Seconds in which worker 0 has read the log.", min=0)
    ] = 3600,
    as_known_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Use what was known then.", show_default="now"),
    ] = None,
    features: Annotated[FeatureValues, typer.Option(help="As of `retrace train`.")] = "ideal",
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Let the model decide from then on.")
    ] = True,
    force: Annotated[
        bool, typer.Option("--force", help="Put it in force even where the gate refuses it.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take part in a training of several machines, which share the state folder.

    Worker 0 reads the log, stores the model and promotes it unless it is worse; its exit status is
    that of `retrace train`. A worker that is started again goes on from the trees that are there
    (deploy/k8s/jobs/training-job.yaml).
    """
    from host.clock import now_us
    from inference.training.train import TrainSettings
    from operations.training.cluster_job import Place, follow, lead
    from operations.training.runs import Asked
    from runtime.composition.training import open_training
    from runtime.settings import load_settings, settings_from_environment

    refuse_force_alone(promote, force)
    place = Place(job, index, workers)
    if not place.part.chief:
        with training_progress() as progress:
            follow(settings_from_environment().training_dir, place, wait, progress)
        return
    started = time.monotonic()
    settings = load_settings()
    moment = parse_moment("--as-known-at", as_known_at)
    chosen = TrainSettings(seed, settings.budget)
    asked = Asked(now_us() if moment is None else moment, features, chosen, workers, promote, force)
    with training_progress() as progress, open_training(settings) as ports:
        result = lead(ports, settings.training_dir, place, asked, progress)
    if result is not None:
        print_training(result, time.monotonic() - started, as_json)
        raise typer.Exit(exit_status(result))
