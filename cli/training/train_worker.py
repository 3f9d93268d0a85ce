"""Command `retrace train-worker`: one of the processes that grow the trees of a model."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def train_worker(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of the run: frame and trees.")
    ],
    index: Annotated[int, typer.Option(min=0, help="Which of the run's workers this is.")],
) -> None:
    """Take part in a training: grow this worker's trees.

    `retrace train --workers N` starts N - 1 of them.
    """
    from domain.errors import RetraceError
    from inference.training.fitting.fit import Workers
    from operations.training.local_workers import REFUSED
    from operations.training.runs import grown_by, read_run

    try:
        run = read_run(folder)
        grown_by(
            run, lambda _done, text: print(text, flush=True), Workers(run.asked.workers, index)
        )
    except RetraceError as error:
        print(f"retrace: {error}", file=sys.stderr)
        raise typer.Exit(REFUSED) from error
