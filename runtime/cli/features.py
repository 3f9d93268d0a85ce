"""Owns `retrace features`: options and what is shown; what is done is runtime.features'."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from runtime.features.verifying import Proof

_group = typer.Typer(help="Features: prove, export and rebuild them from the log.")

Begin = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Transactions from this event time on, RFC 3339."),
]
End = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Transactions before this event time.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="features", no_args_is_help=True)


@_group.command()
def verify(
    begin: Begin = None,
    end: End = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Transactions that the naive reference recomputes.")
    ] = 50,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Plant differences in what is read; they must be found."),
    ] = False,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long projections may take to catch up.")
    ] = 900.0,
    as_json: AsJson = False,
) -> None:
    """Prove that every stored feature is what the log gives, bit for bit.

    Compared are the vectors in PostgreSQL, the streaming fold at every transaction, the online
    states in Redis, the vectors that decisions were served, Feast's historical read, and a sample
    with the naive reference. Exits with 1 where anything differs.
    """
    from projections.verification.planting import Planted
    from runtime.features.verifying import Verifier, Wanted
    from runtime.history import open_history
    from runtime.settings import load_settings

    settings = load_settings()
    wanted = Wanted(_moment("--from", begin), _moment("--to", end), sample, wait)
    planted = Planted() if self_test else None
    started = time.monotonic()
    with _shown() as (say, count), open_history(settings) as (log, history):
        proof = Verifier(settings, log, history, wanted, say, count, planted).run()
    seconds = time.monotonic() - started
    if planted is not None:
        sys.exit(_tell_self_test(proof, planted.made, as_json))
    _tell(proof, seconds, as_json)
    sys.exit(1 if proof.different else 0)


@_group.command()
def dataset(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Parquet file to write.")],
    begin: Begin = None,
    end: End = None,
    as_known_at: Annotated[
        str | None,
        typer.Option(
            "--as-known-at",
            metavar="TIME",
            help="Use only what was known then, labels too.",
            show_default="now",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a training set: every feature of every transaction at its own time, and its label."""
    from domain.errors import InvalidInputError
    from runtime.clock import now_us
    from runtime.features.exporting import export
    from runtime.settings import load_settings

    if not out.parent.is_dir():
        raise InvalidInputError("--out", f"there is no folder {out.parent}")
    known = _moment("--as-known-at", as_known_at)
    started = time.monotonic()
    with _shown() as (say, count):
        made = export(
            load_settings(),
            out,
            now_us() if known is None else known,
            _moment("--from", begin),
            _moment("--to", end),
            say,
            count,
        )
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print(json.dumps({**made, "file": str(out), "seconds": seconds}))
        return
    print(
        f"{out}: {made['transactions']:,} transactions, {made['features']} features,"
        f" {made['fraud']:,} fraud and {made['genuine']:,} genuine labels, in {seconds} s"
    )


def _moment(option: str, text: str | None) -> int | None:
    from domain.errors import InvalidInputError
    from domain.times import from_rfc3339

    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise InvalidInputError(option, f"{text!r} is no time like 2018-06-01T00:00:00Z") from error


def _tell(proof: Proof, seconds: float, as_json: bool) -> None:
    from runtime.features.verifying import first_differences, summary

    if as_json:
        print(json.dumps(_as_json(proof, seconds)))
        return
    for note in proof.notes:
        typer.echo(f"note: {note}", err=True)
    _table(proof)
    found = first_differences(proof)
    if found:
        _differences(found)
    print(f"{proof.transactions:,} transactions in {seconds:.0f} s")
    print(summary(proof))


def _table(proof: Proof) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("COMPARED", "VALUES", "DIFFERENT"):
        table.add_column(title, justify="left" if title == "COMPARED" else "right")
    for each in proof.compared:
        table.add_row(each.name, f"{each.values:,}", f"{each.different:,}")
    Console().print(table)


def _differences(found: list[tuple[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left")
    for title in ("WHERE", "FEATURE", "ENTITY", "OF", "POSITION", "EXPECTED", "FOUND"):
        table.add_column(title, overflow="fold")
    for name, each in found:
        table.add_row(
            name, each.feature, each.entity, each.subject, each.position, each.left, each.right
        )
    Console().print(table)


def _as_json(proof: Proof, seconds: float) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "compared": proof.values,
        "different": proof.different,
        "transactions": proof.transactions,
        "seconds": round(seconds, 1),
        "notes": proof.notes,
        "comparisons": [asdict(each) for each in proof.compared],
    }


def _tell_self_test(proof: Proof, planted: list[tuple[str, str]], as_json: bool) -> int:
    """0 where each planted difference was found, named, and nothing else differed."""
    found = {
        (each.name, name)
        for each in proof.compared
        for difference in each.shown
        for name in (difference.feature, difference.subject)
    }
    missed = [each for each in planted if each not in found]
    good = bool(planted) and not missed
    if as_json:
        print(json.dumps({"planted": planted, "missed": missed, "found": good}))
    else:
        for where, what in planted:
            state = "found" if (where, what) in found else "MISSED"
            print(f"planted in {where}, {what}: {state}")
        print("the proof can fail" if good else "the proof cannot be trusted")
    return 0 if good else 1


@contextmanager
def _shown() -> Iterator[tuple[Any, Any]]:
    """(say a step, count within it) on stderr; where that is no terminal, a line per step."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: typer.echo(text, err=True), lambda _done, _of: None
        return
    columns = BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def say(text: str) -> None:
            bar.update(task, description=text, completed=0, total=None)

        def count(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield say, count
