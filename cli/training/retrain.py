"""Command of scripts/retrain_model.py: trains a model from a flat file, without any server.

The log does not know the model then; the output says how to register it.
"""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.file_options import (
    CurrencyOption,
    EncodingOption,
    LabelDelayOption,
    MapOption,
    MappingOption,
    UnlabelledOption,
)
from cli.interrupts import interruptible
from cli.output import parse_moment
from cli.training.output import print_training, training_progress
from domain.errors import RetraceError


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
        Path, typer.Option(metavar="FILE", help="File, folder or pattern, as in `retrace ingest`.")
    ],
    mapping: MapOption = None,
    mapping_file: MappingOption = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with 1 for fraud and 0 for genuine.",
            show_default="the mapping's, or fraud, is_fraud or label",
        ),
    ] = None,
    label_delay: LabelDelayOption = "7d",
    unlabelled: UnlabelledOption = None,
    as_known_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Use what was known then, RFC 3339.",
            show_default="when the last label was known",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    default_currency: CurrencyOption = None,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="File of rejected rows. [default: FILE.rejects.ndjson]"),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read that many rows at most.")] = None,
    encoding: EncodingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a model from a flat file of transactions and store it; no server has to run.

    The same command goes on where it was interrupted.
    """
    from inference.training.train import TrainSettings
    from operations.log.imports import ImportOptions
    from operations.training.file_frame import usual_label
    from operations.training.train_from_file import begin, train_run
    from runtime.composition.intake import cleaner_for_file
    from runtime.composition.training import model_output
    from runtime.settings import settings_from_environment

    started = time.monotonic()
    settings = settings_from_environment()
    options = ImportOptions(
        file=dataset_path,
        mapping=tuple(mapping or ()),
        mapping_file=mapping_file,
        label=label or usual_label(dataset_path, mapping_file, encoding),
        label_delay=label_delay,
        unlabelled=tuple(unlabelled or ()),
        rejects=rejects,
        limit=limit,
        encoding=encoding,
    )
    moment = parse_moment("--as-known-at", as_known_at)
    root, cleaning = settings.file_training_dir, cleaner_for_file(settings, default_currency)
    chosen = TrainSettings(seed, settings.budget)
    with (
        training_progress() as progress,
        begin(root, options, cleaning, moment, chosen, progress, _warn) as (run, read),
        interruptible("the same command"),
    ):
        result = train_run(model_output(settings), run, dataset_path, progress)
    folder, rows = settings.models_dir / result.model_hash, read.summary
    more = {
        "folder": str(folder),
        "rows": rows.rows,
        "accepted": rows.accepted,
        "rejected": rows.rejected,
        "rejected_fields": rows.rejected_fields,
        "rejects_file": str(read.rejects_path) if rows.rejected else None,
        "registered": False,
    }
    print_training(result, time.monotonic() - started, as_json, more)
    model_id = result.trained.manifest.model_id
    _warn(
        f"Stored in {folder}; the log does not know it yet. With the stack up:\n"
        f"  ./retrace models register {model_id}\n"
        f"  ./retrace models promote {model_id}"
    )


def _warn(text: str) -> None:
    typer.echo(text, err=True)
