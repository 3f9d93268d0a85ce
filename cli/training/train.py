"""Owns `retrace train`: from the labels known at a moment to a model in force; shows the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.interrupts import interruptible

if TYPE_CHECKING:
    from inference.frame.frame import Frame
    from inference.training.train import TrainedModel
    from operations.training.runs import TrainingRun
    from runtime.settings import Settings

Progress = Callable[[float, str], None]
FeatureValues = Literal["ideal", "served"]
_SOURCES = {
    "ideal": "the log, replayed: the features of each payment's own moment",
    "served": "the features that decisions were served",
}


def train(
    context: typer.Context,
    as_known_at: Annotated[
        str | None,
        typer.Option(
            "--as-known-at",
            metavar="TIME",
            help="Use what was known then, RFC 3339, e.g. 2018-06-01T00:00:00Z.",
            show_default="now",
        ),
    ] = None,
    features: Annotated[
        FeatureValues,
        typer.Option(help="Values to learn from: as the log gives them, or as decisions had them."),
    ] = "ideal",
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Put the model in force.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that share each batch.")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run that was interrupted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a model on the history of the log, store it and put it in force."""
    from operations.training.local_workers import trained_by_workers
    from operations.training.runs import interrupted, remove, trained_by
    from runtime.settings import load_settings

    started = time.monotonic()
    settings = load_settings()
    if resume:
        _refuse_beside_resume(context)
    with shown() as progress:
        taken = (
            interrupted(settings.training_dir)
            if resume
            else begin(settings, as_known_at, features, promote, seed, workers, progress)
        )
        with taken as run, interruptible("`retrace train --resume`"):
            fit = trained_by if run.asked.workers == 1 else trained_by_workers
            trained = fit(run, progress)
            model_hash, card = store(settings, run, trained)
            remove(run)
    promoted = run.asked.promote
    summary = summary_of(trained, model_hash, promoted, time.monotonic() - started)
    tell(summary | {"card": card}, as_json)


def begin(
    settings: Settings,
    as_known_at: str | None,
    features: FeatureValues,
    promote: bool,
    seed: int,
    workers: int,
    progress: Progress,
) -> AbstractContextManager[TrainingRun]:
    from host.clock import now_us
    from inference.training.train import TrainSettings
    from operations.training.runs import Asked, begun

    moment = moment_of(as_known_at) if as_known_at else now_us()
    frame = _frame(settings, moment, features, progress)
    chosen = TrainSettings(seed, settings.budget)
    asked = Asked(moment, features, chosen, workers, promote)
    return begun(settings.training_dir, asked, frame)


def store(settings: Settings, run: TrainingRun, trained: TrainedModel) -> tuple[str, str | None]:
    """Stores the model, tells the log of it, and gives its hash and the folder of its card."""
    from cli.training.card_writing import write_card
    from runtime.composition.models import artefacts_of

    model_hash = artefacts_of(settings).put(trained.files)
    source = _SOURCES[run.asked.features]
    card = write_card(settings, model_hash, trained, source)
    _record(settings, trained, model_hash, run.asked.promote)
    return model_hash, card


def _refuse_beside_resume(context: typer.Context) -> None:
    """A run that goes on is as it was asked for."""
    from domain.errors import InvalidInputError

    for name in ("as_known_at", "features", "promote", "seed", "workers"):
        source = context.get_parameter_source(name)
        if source and source.name != "DEFAULT":
            option = f"--{name.replace('_', '-')}"
            raise InvalidInputError(option, "is the run's own: leave it out beside --resume")


def moment_of(text: str) -> int:
    from domain.errors import InvalidInputError
    from domain.times import from_rfc3339

    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise InvalidInputError(
            "--as-known-at", f"{text!r} is no time like 2018-06-01T00:00:00Z"
        ) from error


def _frame(settings: Settings, moment: int, features: FeatureValues, progress: Progress) -> Frame:
    if features == "served":
        from inference.frame.served import served_frame

        progress(0.0, "reading what decisions were served")
        return served_frame(settings.database_url, moment)
    from operations.training.log_frame import ideal_frame
    from runtime.composition.history import open_history

    with open_history(settings) as (_, history):
        return ideal_frame(
            history,
            moment,
            lambda text: progress(0.0, text),
            lambda done, of: progress(done / max(of, 1), "reading the log"),
        )


def _record(settings: Settings, trained: TrainedModel, model_hash: str, promoted: bool) -> None:
    from commands.models.lifecycle import promote_model, register_model
    from domain.events import ModelPromoted
    from host.clock import now_us
    from inference.artefacts.manifest import fact_of
    from runtime.composition.log import log_of

    exists = fact_of(trained.manifest, model_hash)
    log = log_of(settings)
    try:
        register_model(log, exists, now_us())
        if promoted:
            named = ModelPromoted(
                model_id=exists.model_id,
                model_hash=model_hash,
                feature_set=exists.feature_set,
            )
            promote_model(log, named, trained.thresholds, now_us())
    finally:
        log.close()


def summary_of(
    trained: TrainedModel, model_hash: str, promoted: bool, seconds: float
) -> dict[str, Any]:
    manifest = trained.manifest
    thresholds = trained.thresholds
    return {
        "model_id": manifest.model_id,
        "model_hash": model_hash,
        "promoted": promoted,
        "as_known_at": manifest.facts["as_known_at"],
        "transactions": manifest.facts["transactions"],
        "frauds": manifest.facts["frauds"],
        "genuine": manifest.facts["genuine"],
        "metrics": trained.metrics,
        "thresholds": {
            "review": thresholds.review,
            "step_up": thresholds.step_up,
            "decline": thresholds.decline,
        },
        "seconds": round(seconds, 1),
    }


def tell(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary))
        return
    metrics, thresholds = summary["metrics"], summary["thresholds"]
    state = "in force" if summary["promoted"] else "stored, not in force"
    print(f"{summary['model_id']} ({state}), trained in {summary['seconds']} s on")
    print(
        f"  {summary['transactions']:,} transactions, {summary['frauds']:,} labelled fraud and"
        f" {summary['genuine']:,} genuine as known at {summary['as_known_at']}"
    )
    print(
        f"  on the latest fifth: AUC {metrics['auc']:.3f}, average precision"
        f" {metrics['average_precision']:.3f}"
    )
    print(
        f"  declines from {thresholds['decline']:.4f} (finds {metrics['recall_declined']:.0%}),"
        f" reviews from {thresholds['review']:.4f} (finds {metrics['recall_reviewed']:.0%})"
    )
    if summary.get("card"):
        print(f"  card: {summary['card']}")


@contextmanager
def shown() -> Iterator[Progress]:
    """A bar on stderr; where that is no terminal, a line per step."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        told = [""]

        def line(_done: float, text: str) -> None:
            if text != told[0]:
                told[0] = text
                typer.echo(text, err=True)

        yield line
        return
    columns = BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda done, text: bar.update(task, completed=done, description=text)
