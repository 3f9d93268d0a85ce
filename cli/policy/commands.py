"""`retrace policy`: lint, draft, diff, publish, show, lists, statistics; `retrace figures`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.policy import drafts, lists, sets
from cli.policy.figures import figures
from cli.policy.sets import said_of
from cli.policy.statistics import statistics

if TYPE_CHECKING:
    from operations.policy.differences import Change

_group = typer.Typer(
    help="Check, publish and take back rules, lists, thresholds, exploration, and routes and"
    " suppressions of alerts."
)
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_SomeFolder = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Of YAML files, with CSV files of lists.")
]
_Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Of YAML files, with CSV files of lists.")
]


def register(app: typer.Typer) -> None:
    """Adds the command group, and the figures of what policy leads to, to the app."""
    _group.command()(statistics)
    lists.register(_group)
    sets.register(_group)
    drafts.register(_group)
    app.add_typer(_group, name="policy")
    app.command()(figures)


@_group.command()
def lint(folder: _Folder, as_json: _AsJson = False) -> None:
    """Check all files of a folder; 1 if anything is wrong. Asks no server."""
    from operations.policy.feature_files import outside_catalogue
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
            alone = (kind for kind in ("thresholds", "exploration") if getattr(found, kind))
            own = "".join(f", {kind}" for kind in alone)
            print(f"{counts}{own}, nothing wrong")
            if names := [each.name for each in outside_catalogue(found.features)]:
                print(f"not in the catalogue: {', '.join(names)}")
                print("this folder can be backtested, and not published (docs/policy.md)")
    if found.faults:
        raise typer.Exit(1)


@_group.command()
def diff(
    folder: _SomeFolder = None,
    draft: Annotated[str | None, typer.Option(help="Of this draft, in place of a folder.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Show what publishing a folder or a draft would change."""
    from domain.errors import InvalidInputError
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    source = folder or draft
    if source is None or (folder and draft):
        raise InvalidInputError("diff", "give either a folder or --draft")
    with open_publisher(load_settings()) as publisher:
        changes = publisher.diff(source)
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
    folder: _SomeFolder = None,
    draft: Annotated[str | None, typer.Option(help="This draft, in place of a folder.")] = None,
    version: Annotated[
        int | None, typer.Option(help="Take back to this earlier set, in place of a folder.")
    ] = None,
    at: Annotated[
        int | None, typer.Option(metavar="POSITION", help="All sets as they were in force there.")
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

    given = [folder, draft, version, at, default or None]
    if sum(each is not None for each in given) != 1:
        one = "give one of a folder, --draft, --version, --at and --default"
        raise InvalidInputError("publish", one)
    source = DEFAULT_FOLDER if default else folder or draft
    with open_publisher(load_settings()) as publisher:
        if source is not None:
            changed = publisher.publish(source, reason)
        elif version is not None:
            changed = publisher.take_back(version, reason)
        else:
            assert at is not None
            changed = publisher.publish_at(at, reason)
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
