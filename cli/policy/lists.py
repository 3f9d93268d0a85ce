"""`retrace policy lists` import, history and find."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import print_table

if TYPE_CHECKING:
    from commands.policy.lists.change import PublishedChange

_group = typer.Typer(help="Change the entries of lists, and look into what was said of them.")
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Name = Annotated[str, typer.Argument(metavar="LIST", help="One that the rules in force declare.")]


def register(app: typer.Typer) -> None:
    """Adds the command group to that of the policy."""
    app.add_typer(_group, name="lists")


@_group.command("import")
def import_(
    name: _Name,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    reason: Annotated[str, typer.Option(help="Why; the history shows it.")],
    form: Annotated[str, typer.Option("--format", help="csv, ofac or un.")] = "csv",
    change: Annotated[str, typer.Option(help="replace, add or remove.")] = "replace",
    as_json: _AsJson = False,
) -> None:
    """Put the entries of a file in force, all at one position of the log."""
    from typing import get_args

    from domain.errors import InvalidInputError
    from domain.events import ListChange
    from operations.policy.list_files import FORMATS
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    forms = {each: each for each in FORMATS}
    changes: dict[str, ListChange] = {each: each for each in get_args(ListChange)}
    if form not in forms or change not in changes:
        known = f"expected {', '.join(forms)} and {', '.join(changes)}"
        raise InvalidInputError("--format/--change", known)
    with open_publisher(load_settings()) as publisher:
        changed = publisher.lists.change(name, file, forms[form], changes[change], reason)
        now = publisher.lists.history(name)[-1:]
    if as_json:
        print(json.dumps({"changed": changed, **(_facts(now[0]) if now else {})}))
    elif not changed:
        print("the list is so already")
    else:
        print(f"{now[0].fact.entries} entries, version {now[0].version} of {name}")


@_group.command()
def history(
    name: Annotated[str, typer.Argument(metavar="[LIST]", help="By default all.")] = "",
    as_json: _AsJson = False,
) -> None:
    """List the changes of lists, the newest first."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        _show(publisher.lists.history(name), as_json)


@_group.command()
def find(
    name: _Name,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="An entry, as it was written.")],
    as_json: _AsJson = False,
) -> None:
    """Show what was ever said of one entry: when, by whom, why and until when."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        _show(publisher.lists.find(name, value), as_json)


def _show(found: list[PublishedChange], as_json: bool) -> None:
    changes = [_facts(each) for each in reversed(found)]
    if as_json:
        print(json.dumps(changes))
        return
    titles = ["version", "published_at", "name", "change", "entries", "by", "reason", "entry"]
    rows = [[_said(each[title]) for title in titles] for each in changes]
    print_table(rows, titles)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        until = "" if value["until"] is None else f" until {value['until']}"
        return f"{value['text']}{until} {value['reason']}".strip()
    return "" if value is None else str(value)


def _facts(each: PublishedChange) -> dict[str, Any]:
    from domain.times import to_rfc3339

    fact = asdict(each.fact)
    entry = each.entry
    until = None if entry is None or entry.until is None else to_rfc3339(entry.until)
    return {
        "version": each.version,
        "published_at": to_rfc3339(each.known_time),
        **{key: fact[key] for key in ("name", "of", "change", "entries", "by", "reason")},
        "entry": None
        if entry is None
        else {"text": entry.text, "until": until, "reason": entry.reason},
    }
