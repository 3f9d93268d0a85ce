"""Screen pieces that several commands share: results, tables, times and progress."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import typer

Say = Callable[[str], None]
"""Takes the name of the step that begins."""

Count = Callable[[int, int | None], None]
"""Takes how much of a step is done, and of how much; None where that is unknown."""


def print_result(facts: dict[str, Any], text: str, as_json: bool) -> None:
    print(json.dumps(facts) if as_json else text)


def print_table(rows: list[list[str]], titles: list[str], right: Sequence[str] = ()) -> None:
    """`right` names the columns that are aligned to the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, title in enumerate(titles):
        # The first column names the row. It stays whole, so that it can be copied.
        justify: Literal["left", "right"] = "right" if title in right else "left"
        table.add_column(title, justify=justify, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)


def parse_moment(option: str, text: str | None) -> int | None:
    """Microseconds UTC. Raises InvalidInputError naming the option."""
    from domain.errors import InvalidInputError
    from domain.times import from_rfc3339

    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise InvalidInputError(option, f"{text!r} is no time like 2018-06-01T00:00:00Z") from error


@contextmanager
def progress_shown() -> Iterator[tuple[Say, Count]]:
    """A bar on stderr; where stderr is no terminal, one line per step."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: typer.echo(text, err=True), lambda _done, _of: None
        return
    left = TimeRemainingColumn(elapsed_when_finished=True)
    columns = (
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        left,
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def say(text: str) -> None:
            bar.update(task, description=text, completed=0, total=None)

        def count(done: int, of: int | None) -> None:
            bar.update(task, completed=done, total=of)

        yield say, count
