"""`retrace dead-letters`: list, open and retry the records that a reader could not use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from domain.events import Envelope
    from eventlog.port import InboxLog

_group = typer.Typer(help="Dead letters: records that a reader could not use.")


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="dead-letters", no_args_is_help=True)


@_group.command("list")
def list_letters(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the dead letters that are kept, oldest first."""
    import json

    from eventlog.dead_letters import dead_letters

    with _opened() as (log, _):
        found = list(dead_letters(log))
    if as_json:
        print(json.dumps({"dead_letters": [_row(each) for each in found]}))
        return
    _print_table(found)


@_group.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Open one dead letter: its origin, the reason, and the original bytes."""
    import json

    from eventlog.dead_letters import dead_letter_of, unseal

    with _opened() as (log, key):
        envelope = dead_letter_of(log, letter_id)
        original = unseal(envelope.data.sealed, key).decode(errors="backslashreplace")
    row = _row(envelope) | {"original": original}
    if as_json:
        print(json.dumps(row))
        return
    for name, value in row.items():
        typer.echo(f"{name + ':':<10} {'-' if value is None else value}")


@_group.command()
def replay(
    letter_ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="As `list` shows it.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Retry all that are kept.")] = False,
) -> None:
    """Retry the original records, once the cause is fixed.

    A record whose transaction was decided meanwhile is a duplicate and changes nothing.
    """
    from domain.errors import InvalidInputError
    from operations.log.dead_letters import retry_dead_letters

    if bool(letter_ids) == everything:
        raise InvalidInputError("ID", "name dead letters, or give --all")
    with _opened() as (log, key):
        retried = retry_dead_letters(
            log, key, letter_ids or None, lambda which, done: print(f"{which}: {done}")
        )
    if not retried:
        print("No dead letters.")


@contextmanager
def _opened() -> Iterator[tuple[InboxLog, bytes]]:
    from runtime.composition.log import open_log
    from runtime.settings import load_settings

    settings = load_settings()
    with open_log(settings) as log:
        yield log, settings.dead_letter_key


def _row(envelope: Envelope) -> dict[str, Any]:
    from domain.times import to_rfc3339

    letter = envelope.data
    return {
        "id": envelope.id,
        "time": to_rfc3339(envelope.known_time),
        "reader": letter.reader,
        "origin": letter.origin,
        "partition": letter.partition,
        "offset": letter.offset,
        "field": letter.field,
        "reason": letter.reason,
    }


def _print_table(found: list[Envelope]) -> None:
    from cli.output import print_table
    from domain.times import to_datetime

    if not found:
        print("No dead letters.")
        return
    rows = [
        [to_datetime(each.known_time).strftime("%m-%d %H:%M:%S"), each.id, each.data.reason]
        for each in found
    ]
    print_table(rows, ["TIME (UTC)", "ID", "WHY"])
