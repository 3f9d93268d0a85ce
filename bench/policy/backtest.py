"""Benchmark of a backtest of a whole policy: features, model, thirty rules, figures.

    ./retrace up && python -m bench.policy.backtest FILE.parquet --map transaction_id=ID ...

The file lies in an archive as imported history with its labels, each known seven days after
its payment. A candidate of thirty rules of five terms and the model of a new installation decides
all of it, against a baseline of the same model without rules. Features of half of the time are
laid down first, from a log that ends there, and then those of all: what doubling takes is a ratio
within one run. Plain Polars makes rolling windows of the same file in the same run, in a process of
its own: the floor of what features take (`bench.policy.floor`). Times are wall and processor time
of each step, of all processes together; memory is their own, without pages of files, which the
system drops when it needs them. Needs no server but the folder of models.
"""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer


def main(
    file: Path,
    mapping: Annotated[list[str], typer.Option("--map", metavar="FIELD=COLUMN")],
    label: Annotated[str, typer.Option(metavar="COLUMN")],
    memory: Annotated[int, typer.Option(metavar="MB", help="Of the log, held at once.")] = 1024,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    # The processes of the engine import this module: what they do not need is imported here.
    from bench.archived_file import archive
    from bench.machine import write
    from bench.policy.backtest_steps import beside_floor, measured
    from bench.policy.floor import floor

    columns = dict(each.split("=", 1) for each in mapping)
    with tempfile.TemporaryDirectory() as made:
        # In a process of its own: what it takes is no part of what is measured.
        with ProcessPoolExecutor(1, get_context("spawn")) as beside:
            ends = beside.submit(archive, file, columns, label, made).result()
        found = measured(made, ends, memory, workers)
        with ProcessPoolExecutor(1, get_context("spawn")) as beside:
            plain = beside.submit(floor, file, columns, workers).result()
        write("backtest", {**found, **beside_floor(found, plain)})


if __name__ == "__main__":
    typer.run(main)
