"""Owns how `retrace features` shows itself: tables, steps and the outcome of a proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from operations.features.verify import Proof


def put(facts: dict[str, Any], text: str, as_json: bool) -> None:
    print(json.dumps(facts) if as_json else text)


def show(rows: list[list[str]], titles: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, title in enumerate(titles):
        # What names a row is to be copied whole.
        table.add_column(title, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def moment(option: str, text: str | None) -> int | None:
    from domain.errors import InvalidInputError
    from domain.times import from_rfc3339

    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise InvalidInputError(option, f"{text!r} is no time like 2018-06-01T00:00:00Z") from error


def tell(proof: Proof, seconds: float, as_json: bool) -> None:
    from operations.features.verify import first_differences, summary

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
    rows = [[each.name, f"{each.values:,}", f"{each.different:,}"] for each in proof.compared]
    show(rows, ["COMPARED", "VALUES", "DIFFERENT"])


def _differences(found: list[tuple[str, Any]]) -> None:
    rows = [
        [name, each.feature, each.entity, each.subject, each.position, each.left, each.right]
        for name, each in found
    ]
    titles = ["WHERE", "FEATURE", "ENTITY", "OF", "POSITION", "EXPECTED", "FOUND"]
    show(rows, titles)


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


def tell_self_test(proof: Proof, planted: list[tuple[str, str]], as_json: bool) -> int:
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
def shown() -> Iterator[tuple[Any, Any]]:
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
