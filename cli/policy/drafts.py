"""`retrace policy draft` and `drafts`: policies that are proposed and not in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.output import print_table

_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Adds both commands to the group of the policy."""
    app.command()(draft)
    app.command()(drafts)


def draft(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Of YAML files, with CSV files of lists.")
    ],
    name: Annotated[str, typer.Option(help="Of the draft; one of the same name is replaced.")],
    reason: Annotated[str, typer.Option(help="Why; those who look at it see it.")],
    as_json: _AsJson = False,
) -> None:
    """Keep what a folder says in the log, for others to look at and to publish."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        position = publisher.draft(folder, name, reason)
    if as_json:
        print(json.dumps({"draft": name, "position": position}))
        return
    print(f"draft {name} is at position {position}; to look at it and put it in force:")
    print(f"  retrace policy diff --draft {name}")
    print(f"  retrace policy publish --draft {name} --reason TEXT")


def drafts(as_json: _AsJson = False) -> None:
    """List the drafts, the newest first."""
    from domain.times import to_rfc3339
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        found = list(reversed(publisher.drafts()))
    told = [
        {
            "draft": each.fact.name,
            "position": each.version,
            "drafted_at": to_rfc3339(each.known_time),
            "by": each.fact.by,
            "keys": each.fact.content.keys,
            "reason": each.fact.reason,
        }
        for each in found
    ]
    if as_json:
        print(json.dumps(told))
        return
    titles = ["draft", "position", "drafted_at", "by", "keys", "reason"]
    rows = [[_text(each[title]) for title in titles] for each in told]
    print_table(rows, titles)


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
