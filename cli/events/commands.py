"""Owns `retrace events`: looking into the log, and its published schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.events.search import Search
    from eventlog.port import EventLog, Recorded

_group = typer.Typer(help="The event log: look into it, print its schemas.")
_FOLLOW_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="events", no_args_is_help=True)


@_group.command()
def tail(
    lines: Annotated[
        int | None, typer.Option("--lines", "-n", min=1, help="How many; 20, or all with --from.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new ones.")] = False,
    kind: Annotated[
        str | None, typer.Option("--type", help="An event type; its last words will do: scored.")
    ] = None,
    transaction_id: Annotated[
        str | None, typer.Option("--id", help="Only events about this transaction.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="transactions, policy, alerts, dead-letters …")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="beginning, PARTITION/OFFSET, or a time (RFC 3339)."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line: the event and its place.")
    ] = False,
) -> None:
    """Show the newest events, oldest first."""
    from eventlog.adapters.kafka import KafkaEventLog
    from eventlog.settings import KafkaSettings
    from runtime.settings import load_settings

    search = _search(kind, transaction_id, topic, begin)
    log = KafkaEventLog(KafkaSettings(load_settings().kafka_bootstrap_servers))
    try:
        show_events(log, search, _printer(as_json), begin is not None, lines, follow)
    finally:
        log.close()


@_group.command()
def schemas(
    write: Annotated[bool, typer.Option("--write", help="Bring docs/events up to date.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail where docs/events is not.")] = False,
) -> None:
    """Print the AsyncAPI document of the log, or keep docs/events in step with the code."""
    from domain.errors import IntegrityError
    from eventlog.schemas.asyncapi import pages
    from runtime.settings import CHECKOUT

    folder = CHECKOUT / "docs" / "events"
    wanted = pages()
    if write:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            (folder / name).write_text(text)
    elif check:
        stale = [
            name
            for name, text in wanted.items()
            if not (folder / name).is_file() or (folder / name).read_text() != text
        ]
        if stale:
            raise IntegrityError(
                f"docs/events is out of date ({', '.join(stale)}): "
                "run `./retrace events schemas --write`"
            )
    else:
        typer.echo(wanted["asyncapi.yaml"], nl=False)


def show_events(
    log: EventLog,
    search: Search,
    show: Callable[[Recorded], None],
    whole: bool,
    lines: int | None,
    follow: bool,
) -> None:
    """`whole` shows all from the search's beginning on, at most `lines`; else the last ones."""
    import asyncio
    from itertools import islice

    from cli.events.search import everything, newest

    async def ends() -> dict[int, int]:
        return dict(enumerate(await log.ends(search.topic)))

    until = asyncio.run(ends())
    if whole:
        for record in islice(everything(log, search, until), lines):
            show(record)
    else:
        for record in newest(log, search, lines or 20, until):
            show(record)
    if not follow:
        return
    following = log.tail(search.topic, until)
    try:
        while True:
            for record in following.poll(_FOLLOW_SECONDS):
                if search.matches(record):
                    show(record)
    finally:
        following.close()


def _search(
    kind: str | None, transaction_id: str | None, topic: str | None, begin: str | None
) -> Search:
    from cli.events.search import Search, topic_called, types_called
    from domain.errors import InvalidInputError
    from domain.times import from_rfc3339
    from eventlog.partitioning import partition_for
    from eventlog.topics import Key

    types = types_called(kind)
    where = topic_called(topic, types)
    keyed = where.key in (Key.TRANSACTION_ID, Key.SUBJECT)
    partition = (
        partition_for(transaction_id, where.partitions) if transaction_id and keyed else None
    )
    since, offset = None, 0
    if begin not in (None, "beginning"):
        at, _, after = begin.partition("/")
        try:
            if after:
                partition, offset = int(at), int(after)
            else:
                since = from_rfc3339(begin)
        except ValueError as error:
            raise InvalidInputError(
                "--from", "must be `beginning`, PARTITION/OFFSET or a time like 2026-01-31T12:00Z"
            ) from error
    return Search(where, types, transaction_id, partition, since, offset)


def _printer(as_json: bool) -> Callable[[Recorded], None]:
    from rich.console import Console

    from cli.events import lines as event_lines

    if as_json:
        return lambda record: print(event_lines.as_json(record), flush=True)
    console = Console(highlight=False)
    # What is piped on is not cut to a width that nobody looks at.
    if not console.is_terminal:
        return lambda record: console.print(event_lines.as_line(record), soft_wrap=True)
    return lambda record: console.print(
        event_lines.as_line(record), no_wrap=True, overflow="ellipsis"
    )
