"""Owns `retrace dead-letters`: seeing, opening and retrying records that were set aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from domain.events import Envelope
    from eventlog.adapters.kafka import KafkaEventLog
    from eventlog.dead_letters import Retry

_group = typer.Typer(help="Records that could not be read or folded.")


def register(app: typer.Typer, retries: Mapping[str, Retry] | None = None) -> None:
    """`retries`, by origin, try originals again that came by no inbox."""
    app.add_typer(
        _group,
        name="dead-letters",
        no_args_is_help=True,
        context_settings={"obj": retries or {}},
    )


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
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As listed.")],
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
    context: typer.Context,
    letter_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="As listed.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are kept.")] = False,
) -> None:
    """Try originals again, after a fix. A retry of one that counted by now is void."""
    import asyncio

    from domain.errors import InvalidInputError
    from eventlog.dead_letters import dead_letter_of, dead_letters
    from eventlog.dead_letters import replay as replay_one

    if bool(letter_ids) == everything:
        raise InvalidInputError("ID", "name dead letters, or give --all")

    async def run(log: KafkaEventLog, key: bytes, chosen: list[Envelope]) -> None:
        for envelope in chosen:
            print(f"{envelope.id}: {await replay_one(envelope, key, log, context.obj)}")

    with _opened() as (log, key):
        chosen = (
            list(dead_letters(log))
            if everything
            else [dead_letter_of(log, each) for each in letter_ids or []]
        )
        asyncio.run(run(log, key, chosen))
    if not chosen:
        print("No dead letters.")


@contextmanager
def _opened() -> Iterator[tuple[KafkaEventLog, bytes]]:
    from eventlog.adapters.kafka import KafkaEventLog
    from eventlog.settings import KafkaSettings
    from runtime.settings import load_settings

    settings = load_settings()
    log = KafkaEventLog(KafkaSettings(settings.kafka_bootstrap_servers))
    try:
        yield log, settings.dead_letter_key
    finally:
        log.close()


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
    from rich.console import Console
    from rich.table import Table

    from domain.times import to_datetime

    if not found:
        print("No dead letters.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    # An id is there to be copied: it is folded, never cut.
    for name in ("time (UTC)", "id", "why"):
        table.add_column(name, no_wrap=name == "time (UTC)", overflow="fold")
    for envelope in found:
        moment = to_datetime(envelope.known_time).strftime("%m-%d %H:%M:%S")
        table.add_row(moment, envelope.id, envelope.data.reason)
    Console(highlight=False, markup=False).print(table)
