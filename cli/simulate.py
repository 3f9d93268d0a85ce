"""`retrace simulate`: simulated card traffic with fraud, to files or stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import RetraceError

if TYPE_CHECKING:
    from simulator.output.files import Output
    from simulator.settings import SimulationSettings

_STDOUT = Path("-")
_DEFAULT_DAYS = 30


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same traffic.")] = 1,
    days: Annotated[
        int | None, typer.Option(min=1, help="How many days.", show_default=str(_DEFAULT_DAYS))
    ] = None,
    start: Annotated[
        str, typer.Option(help="When day 0 begins: a date, or RFC 3339 time.")
    ] = "2026-01-01",
    customers: Annotated[int, typer.Option(help="Size of the population.")] = 5_000,
    merchants: Annotated[int, typer.Option(help="Shops, web shops and cash machines.")] = 800,
    per_day: Annotated[float, typer.Option(help="Mean transactions a day.")] = 20_000.0,
    fraud_rate: Annotated[
        float, typer.Option(help="Fraction of transactions that are fraud, on average.")
    ] = 0.007,
    out: Annotated[
        Path, typer.Option(help="A .csv, .ndjson or .parquet file, or - for NDJSON on stdout.")
    ] = _STDOUT,
    labels: Annotated[
        Path | None, typer.Option(help="A file for the labels, in the order they become known.")
    ] = None,
    endless: Annotated[bool, typer.Option("--endless", help="Go on until interrupted.")] = False,
    rate: Annotated[
        float, typer.Option(min=0, help="Transactions per second; 0 is as fast as possible.")
    ] = 0.0,
    id_prefix: Annotated[
        str, typer.Option(help="Prefix of transaction ids. Another prefix gives new ids.")
    ] = "sim-",
    truth: Annotated[
        bool | None,
        typer.Option(
            "--truth/--no-truth",
            help="Write the column fraud (0 or 1).",
            show_default="yes in files, no on stdout",
        ),
    ] = None,
) -> None:
    """Write simulated card traffic with fraud, and the labels that become known days later."""
    from operations.simulation import write_traffic
    from simulator.settings import SimulationSettings
    from simulator.simulation import Simulation

    if endless and days is not None:
        raise typer.BadParameter("give either --days or --endless")
    try:
        settings = SimulationSettings(
            seed, _start_us(start), customers, merchants, per_day, fraud_rate, id_prefix
        )
        number = None if endless else days or _DEFAULT_DAYS
        with ExitStack() as stack:
            target = _opened(stack, out, truth, "--out")
            label_target = _opened(stack, labels, None, "--labels") if labels else None
            advance = stack.enter_context(_progress(settings, number))
            write_traffic(Simulation(settings), number, target, label_target, rate, advance)
    except BrokenPipeError:
        # The reader, such as `head`, has ended. Python must not flush into the pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except RetraceError as error:
        raise typer.BadParameter(str(error)) from error
    except OSError as error:
        typer.echo(f"cannot write {error.filename or out}: {error.strerror}", err=True)
        raise typer.Exit(1) from error


def _start_us(text: str) -> int:
    from domain.times import from_rfc3339

    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"--start: {text!r} is neither a date (2026-01-01) nor a time (2026-01-01T12:00:00Z)"
        ) from error


def _opened(stack: ExitStack, path: Path, truth: bool | None, option: str) -> Output:
    from simulator.output.files import LineOutput, open_output

    if path == _STDOUT:
        return LineOutput(sys.stdout.buffer, truth=bool(truth))
    output = open_output(path, truth=truth is not False, option=option)
    stack.callback(output.close)
    return output


@contextmanager
def _progress(settings: SimulationSettings, number: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr: stdout is for the data."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    total = None if number is None else settings.per_day * number
    columns = (
        TextColumn("simulated {task.completed:,.0f} transactions"),
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)

        def advance(count: int) -> None:
            bar.advance(task, count)

        yield advance
        if total is not None:
            # The total was an estimate. A finished run shows a full bar.
            bar.update(task, total=bar.tasks[task].completed)
