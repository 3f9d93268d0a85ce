"""Owns the command behind scripts/retrain_model.py: from a flat file to a stored model, no server.

It registers nothing, for there may be no log; the end says how that is done.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.interrupts import interruptible
from domain.errors import RetraceError

if TYPE_CHECKING:
    from operations.training.file_frame import LaidOut


def main() -> None:
    try:
        typer.run(retrain)
    except RetraceError as error:
        print(f"retrain_model: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def retrain(
    dataset_path: Annotated[
        Path, typer.Option(metavar="FILE", help="CSV, NDJSON or Parquet, as `retrace ingest`.")
    ],
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="Which column holds a field. Repeatable."
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with 1 for fraud and 0 for genuine.",
            show_default="fraud, is_fraud or label",
        ),
    ] = None,
    label_delay: Annotated[
        str, typer.Option(metavar="SPAN", help="How long after its transaction a label is known.")
    ] = "7d",
    as_known_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Use what was known then, RFC 3339.",
            show_default="when the last label was known",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    default_currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Currency of rows that name none.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Rows not taken. [default: FILE.rejects.ndjson]"),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read that many rows at most.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a model from a flat file of transactions and store it; no server has to run.

    The same command goes on where it was interrupted.
    """
    from cli.output import progress_shown
    from cli.training.card_writing import write_card
    from cli.training.train import moment_of, summary_of
    from inference.training.train import TrainSettings
    from operations.training.file_frame import FlatFile, frame_of_file, usual_label
    from operations.training.runs import Asked, begun, remove, trained_by
    from runtime.composition.models import artefacts_of
    from runtime.settings import settings_from_environment

    started = time.monotonic()
    settings = settings_from_environment()
    file = FlatFile(
        path=dataset_path,
        mapping=tuple(mapping or ()),
        label=label or usual_label(dataset_path),
        label_delay=label_delay,
        currency=default_currency,
        rejects=rejects,
        limit=limit,
    )
    moment = moment_of(as_known_at) if as_known_at else None
    with progress_shown() as (say, count):
        frame, laid_out = frame_of_file(file, settings, moment, say, count)
        if laid_out.summary.rejected:
            typer.echo(laid_out.rejected, err=True)
        chosen = TrainSettings(seed, settings.budget)
        asked = Asked(frame.as_known_at, "file", chosen, promote=False)
        taken = begun(settings.file_training_dir, asked, frame)
        with taken as run, interruptible("the same command"):
            trained = trained_by(run, _progress(say, count))
            model_hash = artefacts_of(settings).put(trained.files)
            source = f"the file {dataset_path.name}, laid out as an import would"
            card = write_card(settings, model_hash, trained, source)
            remove(run)
    summary = summary_of(trained, model_hash, False, time.monotonic() - started) | {"card": card}
    _tell(summary, laid_out, settings.models_dir / model_hash, as_json)


def _progress(say: Any, count: Any) -> Callable[[float, str], None]:
    told = [""]

    def progress(done: float, text: str) -> None:
        if text != told[0]:
            told[0] = text
            say(text)
        count(int(done * 1000), 1000)

    return progress


def _tell(summary: dict[str, Any], laid_out: LaidOut, folder: Path, as_json: bool) -> None:
    from cli.training.train import tell

    read = laid_out.summary
    told = summary | {
        "folder": str(folder),
        "rows": read.rows,
        "accepted": read.accepted,
        "rejected": read.rejected,
        "rejected_fields": read.rejected_fields,
        "rejects_file": str(laid_out.rejects_path) if read.rejected else None,
        "registered": False,
    }
    tell(told, as_json)
    typer.echo(
        f"Stored in {folder}; the log does not know it yet. With the stack up:\n"
        f"  ./retrace models register {summary['model_id']}\n"
        f"  ./retrace models promote {summary['model_id']}",
        err=True,
    )
