"""`retrace archive`: how far the log is archived. The archive worker writes the archive."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import print_table

if TYPE_CHECKING:
    from eventlog.archive.status import PartitionStatus

_group = typer.Typer(help="The archive: the log as Parquet files.")


@_group.callback()
def _archive() -> None:
    """The archive: the log as Parquet files."""


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="archive", no_args_is_help=True)


@_group.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show for each partition how far it is archived, and how large the archive is.

    Exits with 1 if there is no archive, if it is of another log, or if a file is missing.
    """
    from eventlog.archive.status import status_of
    from runtime.composition.history import open_archive
    from runtime.settings import load_settings

    with open_archive(load_settings()) as (_, folder, ends):
        place, found = folder.place, status_of(folder, ends)
    facts = _facts(place, found)
    if as_json:
        print(json.dumps(facts))
    else:
        _show(facts)
    holes = [each for each in found if each.unreachable]
    for each in holes:
        typer.echo(
            f"partition {each.partition} lacks offset {each.archived}, so {each.unreachable} files "
            "after it are not read. Restore the missing file (docs/archive.md)",
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
    """The least and the greatest known time, in RFC 3339; some may be missing."""
    from domain.times import to_rfc3339

    first = min((at for at in oldest if at is not None), default=None)
    last = max((at for at in newest if at is not None), default=None)
    return {
        "oldest_known": None if first is None else to_rfc3339(first),
        "newest_known": None if last is None else to_rfc3339(last),
    }


def _show(facts: dict[str, Any]) -> None:
    titles = ["PARTITION", "ARCHIVED", "LOG'S END", "LAG", "FILES", "MB", "KNOWN FROM", "KNOWN TO"]
    rows = []
    for each in facts["partitions"]:
        numbers = [each[name] for name in ("partition", "archived", "end", "lag", "files")]
        days = [(each[name] or "-")[:10] for name in ("oldest_known", "newest_known")]
        rows.append([*(f"{n:,}" for n in numbers), f"{each['bytes'] / 1e6:.1f}", *days])
    print_table(rows, titles, right=titles[:6])
    print(
        f"{facts['archive']}: {facts['archived']:,} of {facts['end']:,} records, "
        f"{facts['lag']:,} behind, in {facts['files']:,} files of {facts['bytes']:,} bytes"
    )
