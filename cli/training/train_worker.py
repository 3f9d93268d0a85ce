"""Command `retrace train-worker`: one of the processes that train a model together."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def train_worker(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of the run: frame and checkpoints.")
    ],
) -> None:
    """Take part in a training; which worker this is, and where the others are, is in TF_CONFIG.

    `retrace train --workers N` starts them. Progress goes to stdout, an object a line.
    """
    from domain.errors import RetraceError
    from inference.training.fitting.cluster import cluster_of_environment
    from operations.training.local_workers import REFUSED
    from operations.training.runs import put_result, read_run, trained_by

    try:
        run, cluster = read_run(folder), cluster_of_environment()
        trained = trained_by(run, _told, cluster)
        if cluster.chief:
            put_result(run, trained)
    except RetraceError as error:
        print(f"retrace: {error}", file=sys.stderr)
        raise typer.Exit(REFUSED) from error


def _told(done: float, text: str) -> None:
    print(json.dumps({"done": done, "text": text}), flush=True)
