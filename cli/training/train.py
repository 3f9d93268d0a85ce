"""Command `retrace train`."""

import time
from typing import Annotated, Literal

import typer

from cli.interrupts import interruptible
from cli.output import parse_moment
from cli.training.output import exit_status, print_training, training_progress

FeatureValues = Literal["ideal", "served"]


def train(
    context: typer.Context,
    as_known_at: Annotated[
        str | None,
        typer.Option(
            "--as-known-at",
            metavar="TIME",
            help="Use what was known then, RFC 3339, e.g. 2018-06-01T00:00:00Z. A model that knows"
            " less than the one in force is stored, and put in force by --force alone.",
            show_default="now",
        ),
    ] = None,
    features: Annotated[
        FeatureValues,
        typer.Option(help="Values to learn from: as the log gives them, or as decisions had them."),
    ] = "ideal",
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Let the model decide from then on.")
    ] = True,
    force: Annotated[
        bool, typer.Option("--force", help="Put it in force even where the gate refuses it.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that share the trees.")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run that was interrupted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a model on the history of the log, store it, and promote it unless it is worse.

    It is measured beside the model in force on the same payments (docs/models.md, The gate).

    Exit status: 0 done; 1 an error; 3 the model is stored, but was refused and is not in force.
    """
    from host.clock import now_us
    from inference.training.train import TrainSettings
    from operations.training.runs import Asked, interrupted
    from operations.training.train_from_log import begin, train_run
    from runtime.composition.training import open_training
    from runtime.settings import load_settings

    started = time.monotonic()
    settings = load_settings()
    if resume:
        _refuse_beside_resume(context)
    refuse_force_alone(promote, force)
    moment = parse_moment("--as-known-at", as_known_at)
    chosen = TrainSettings(seed, settings.budget)
    asked = Asked(now_us() if moment is None else moment, features, chosen, workers, promote, force)
    root = settings.training_dir
    with training_progress() as progress, open_training(settings) as ports:
        taken = interrupted(root) if resume else begin(ports, root, asked, progress)
        with taken as run, interruptible("`retrace train --resume`"):
            result = train_run(ports, run, progress)
    print_training(result, time.monotonic() - started, as_json)
    raise typer.Exit(exit_status(result))


def _refuse_beside_resume(context: typer.Context) -> None:
    """A run that goes on is as it was asked for."""
    from domain.errors import InvalidInputError

    for name in ("as_known_at", "features", "promote", "force", "seed", "workers"):
        source = context.get_parameter_source(name)
        if source and source.name != "DEFAULT":
            option = f"--{name.replace('_', '-')}"
            raise InvalidInputError(option, "is the run's own: leave it out beside --resume")


def refuse_force_alone(promote: bool, force: bool) -> None:
    from domain.errors import InvalidInputError

    if force and not promote:
        raise InvalidInputError("--force", "puts the model in force: leave out --no-promote")
