"""`retrace policy`: lint, diff, publish, show, history, statistics, lists; `retrace figures`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.policy import lists, sets
from cli.policy.figures import figures
from cli.policy.sets import said_of
from cli.policy.statistics import statistics

if TYPE_CHECKING:
    from operations.policy.publishing import Change

_group = typer.Typer(
    help="Check, publish and take back rules, lists, thresholds, and routes and suppressions of"
    " alerts."
)
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Of YAML files, with CSV files of lists.")
]


def register(app: typer.Typer) -> None:
    """Adds the command group, and the figures of what policy leads to, to the app."""
    _group.command()(statistics)
    lists.register(_group)
    sets.register(_group)
    app.add_typer(_group, name="policy")
    app.command()(figures)


@_group.command()
def lint(folder: _Folder, as_json: _AsJson = False) -> None:
    """Check all files of a folder; 1 if anything is wrong. Asks no server."""
    from operations.policy.publishing import lint as checked
    from runtime.composition.models import list_cleaner, rule_language

    # Whether entries are well written shows under any key.
    found = checked(folder, rule_language(), list_cleaner(bytes(32)))
    if as_json:
        print(json.dumps([asdict(each) for each in found.faults]))
    else:
        for each in found.faults:
            print(each)
        if not found.faults:
            kinds = ("rules", "lists", "routes", "suppressions")
            counts = ", ".join(f"{len(getattr(found, kind))} {kind}" for kind in kinds)
            own = ", thresholds" if found.thresholds else ""
            print(f"{counts}{own}, nothing wrong")
    if found.faults:
        raise typer.Exit(1)


@_group.command()
def diff(folder: _Folder, as_json: _AsJson = False) -> None:
    """Show what publishing this folder would change."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        changes = publisher.diff(folder)
    _show_changes(changes, as_json)


def _show_changes(changes: list[Change], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(each) for each in changes]))
        return
    for each in changes:
        print(f"{each.kind} {each.name}")
        for name, (before, after) in each.fields.items():
            print(f"  {name}: {before} -> {after}")
    if not changes:
        print("nothing differs")


@_group.command()
def publish(
    reason: Annotated[str, typer.Option(help="Why; the history shows it.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Of YAML files, with CSV files of lists."),
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Take back to this earlier set, in place of a folder.")
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="The policy that ships, in place of a folder.")
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Put what a folder holds in force, everywhere, each set from one position of the log on."""
    from domain.errors import InvalidInputError
    from operations.policy.publishing import DEFAULT_FOLDER
    from operations.policy.sets import summary
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    if (folder is not None) + (version is not None) + default != 1:
        raise InvalidInputError("publish", "give either a folder, --version or --default")
    folder = DEFAULT_FOLDER if default else folder
    with open_publisher(load_settings()) as publisher:
        if folder is not None:
            changed = publisher.publish(folder, reason)
        else:
            assert version is not None
            changed = publisher.take_back(version, reason)
        now = {kind: found[-1] for kind, found in publisher.sets().items() if found}
    if as_json:
        told = {kind: summary(each) for kind, each in now.items()}
        print(json.dumps({"published": changed, **told}))
    elif not changed:
        print("this is in force already")
    else:
        if "lists" in changed:
            print("the entries of lists are in force: retrace policy lists history")
        for kind, each in now.items():
            if kind in changed:
                print(f"{said_of(summary(each))} in force, version {each.version}")
