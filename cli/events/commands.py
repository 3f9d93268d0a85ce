"""`retrace events`: show the records of the log, print its schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventlog.port import Recorded
    from operations.log.search import Search

_group = typer.Typer(help="The event log: show its records, print its schemas.")


def register(app: typer.Typer) -> None:
    app.add_typer(_group, name="events", no_args_is_help=True)


@_group.command()
def tail(
    lines: Annotated[
        int | None,
        typer.Option("--lines", "-n", min=1, help="How many; by default 20, or all with --from."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new events until Ctrl-C.")
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option("--type", help="Only this event type. The last part is enough: scored."),
    ] = None,
    transaction_id: Annotated[
        str | None, typer.Option("--id", help="Only events about this transaction.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="transactions, policy, alerts, dead-letters, …")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="beginning, PARTITION/OFFSET, or a time (RFC 3339)."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a line: the event, amounts in major units, and its position.",
        ),
    ] = False,
) -> None:
    """Show the newest events, oldest first."""
    from operations.log.show import show_events
    from runtime.composition.log import open_log
    from runtime.settings import load_settings

    search = _search(kind, transaction_id, topic, begin)
    with open_log(load_settings()) as log:
        show_events(log, search, _printer(as_json), begin is not None, lines, follow)


@_group.command()
def schemas(
    write: Annotated[bool, typer.Option("--write", help="Write the files of docs/events.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Fail if docs/events is out of date.")
    ] = False,
) -> None:
    """Print the AsyncAPI document of the log, or write or check docs/events."""
    from operations.log import schema_pages
    from runtime.settings import CHECKOUT

    folder = CHECKOUT / "docs" / "events"
    if write:
        schema_pages.write_schemas(folder)
    elif check:
        schema_pages.check_schemas(folder)
    else:
        typer.echo(schema_pages.asyncapi(), nl=False)


def _search(
    kind: str | None, transaction_id: str | None, topic: str | None, begin: str | None
) -> Search:
    from domain.errors import InvalidInputError
    from domain.times import from_rfc3339
    from eventlog.partitioning import partition_for
    from eventlog.topics import Key
    from operations.log.search import Search, topic_called, types_called

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
    # In a pipe there is no width to cut lines to.
    if not console.is_terminal:
        return lambda record: console.print(event_lines.as_line(record), soft_wrap=True)
    return lambda record: console.print(
        event_lines.as_line(record), no_wrap=True, overflow="ellipsis"
    )
