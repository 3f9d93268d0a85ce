"""Owns `retrace archive`: how far the log is archived; writing is the archive worker's."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eventlog.archive.status import PartitionStatus

_group = typer.Typer(help="The log's archive in Parquet files.")


@_group.callback()
def _archive() -> None:
    """The log's archive in Parquet files."""


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="archive", no_args_is_help=True)


@_group.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show per partition how far it is archived, and how large that is.

    Exits with 1 where there is no archive, where it is of another log, or where it has a hole.
    """
    from runtime.composition.history import archive_status
    from runtime.settings import load_settings

    place, found = archive_status(load_settings())
    facts = _facts(place, found)
    if as_json:
        print(json.dumps(facts))
    else:
        _show(facts)
    holes = [each for each in found if each.unreachable]
    for each in holes:
        typer.echo(
            f"partition {each.partition} lacks offset {each.archived}: {each.unreachable} files "
            "behind it are not read; restore what is missing (docs/archive.md)",
            err=True,
        )
    sys.exit(1 if holes else 0)


def _facts(place: str, found: list[PartitionStatus]) -> dict[str, Any]:
    return {
        "archive": place,
        "archived": sum(each.archived for each in found),
        "end": sum(each.end for each in found),
        "lag": sum(each.lag for each in found),
        "files": sum(each.files for each in found),
        "bytes": sum(each.size for each in found),
        **_known([e.oldest for e in found], [e.newest for e in found]),
        "partitions": [
            {
                "partition": each.partition,
                "archived": each.archived,
                "end": each.end,
                "lag": each.lag,
                "files": each.files,
                "bytes": each.size,
                **_known([each.oldest], [each.newest]),
                "unreachable_files": each.unreachable,
            }
            for each in found
        ],
    }


def _known(oldest: list[int | None], newest: list[int | None]) -> dict[str, str | None]:
    """In RFC 3339, of known times of which some may be missing."""
    from domain.times import to_rfc3339

    first = min((at for at in oldest if at is not None), default=None)
    last = max((at for at in newest if at is not None), default=None)
    return {
        "oldest_known": None if first is None else to_rfc3339(first),
        "newest_known": None if last is None else to_rfc3339(last),
    }


def _show(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("PARTITION", "ARCHIVED", "LOG'S END", "LAG", "FILES", "MB"):
        table.add_column(title, justify="right")
    for title in ("KNOWN FROM", "KNOWN TO"):
        table.add_column(title)
    for each in facts["partitions"]:
        numbers = [each[name] for name in ("partition", "archived", "end", "lag", "files")]
        days = [(each[name] or "-")[:10] for name in ("oldest_known", "newest_known")]
        table.add_row(*(f"{n:,}" for n in numbers), f"{each['bytes'] / 1e6:.1f}", *days)
    Console().print(table)
    print(
        f"{facts['archive']}: {facts['archived']:,} of {facts['end']:,} records, "
        f"{facts['lag']:,} behind, in {facts['files']:,} files of {facts['bytes']:,} bytes"
    )
