"""`retrace policy` lint, diff, publish, history, show and statistics; `retrace figures`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import parse_moment, print_table
from cli.policy.figures import figures
from cli.policy.statistics import statistics

if TYPE_CHECKING:
    from commands.policy.rules import PublishedRules

_group = typer.Typer(help="Check, publish and take back the rules of the policy.")
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Of YAML files with rules.")]


def register(app: typer.Typer) -> None:
    """Adds the command group, and the figures of what policy leads to, to the app."""
    _group.command()(statistics)
    app.add_typer(_group, name="policy")
    app.command()(figures)


@_group.command()
def lint(folder: _Folder, as_json: _AsJson = False) -> None:
    """Check rules against all that a rule can see; 1 if one is wrong. Asks no server."""
    from operations.policy.publishing import lint as checked
    from runtime.composition.models import rule_language

    found = checked(folder, rule_language())
    if as_json:
        print(json.dumps([asdict(each) for each in found.faults]))
    else:
        for each in found.faults:
            print(each)
        if not found.faults:
            print(f"{len(found.rules)} rules, nothing wrong")
    if found.faults:
        raise typer.Exit(1)


@_group.command()
def diff(folder: _Folder, as_json: _AsJson = False) -> None:
    """Show what publishing this folder would change."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        changes = publisher.diff(folder)
    if as_json:
        print(json.dumps([asdict(each) for each in changes]))
        return
    for each in changes:
        print(f"{each.kind} {each.name}")
        for name, (before, after) in each.fields.items():
            print(f"  {name}: {before} -> {after}")
    if not changes:
        print("no rule differs")


@_group.command()
def publish(
    reason: Annotated[str, typer.Option(help="Why; the history shows it.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Of YAML files with rules.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Take back to this earlier set, in place of a folder.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Put rules in force, everywhere, from one position of the log on."""
    from domain.errors import InvalidInputError
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    if (folder is None) == (version is None):
        raise InvalidInputError("publish", "give either a folder or --version")
    with open_publisher(load_settings()) as publisher:
        if folder is not None:
            changed = publisher.publish(folder, reason)
        else:
            assert version is not None
            changed = publisher.take_back(version, reason)
        now = publisher.history()[-1:]
    if as_json:
        print(json.dumps({"published": changed, **(_facts(now[0]) if now else {})}))
    elif not changed:
        print("these rules are in force already")
    else:
        print(f"{len(now[0].fact.rules)} rules are in force, version {now[0].version}")


@_group.command()
def history(as_json: _AsJson = False) -> None:
    """List the sets that were published, the newest first."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        sets = [_facts(each) for each in reversed(publisher.history())]
    if as_json:
        print(json.dumps(sets))
        return
    titles = ["version", "published", "rules", "hash", "reason"]
    print_table(
        [
            [
                *(str(each["version"]), each["published_at"], str(each["rules"])),
                *(each["rules_hash"][:12], each["reason"]),
            ]
            for each in sets
        ],
        titles,
    )


@_group.command()
def show(
    as_known_at: Annotated[
        str | None, typer.Option("--as-known-at", metavar="TIME", help="Those in force then.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Show the rules in force, now or as known at a moment."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    moment = parse_moment("--as-known-at", as_known_at)
    with open_publisher(load_settings()) as publisher:
        found = publisher.in_force(moment)
    if as_json:
        print(json.dumps(_facts(found) | {"rules": [asdict(rule) for rule in found.fact.rules]}))
        return
    print(f"version {found.version}, {len(found.fact.rules)} rules")
    rows = [
        [
            *(rule.name, rule.action, rule.severity, rule.owner),
            *(_acts(rule.shadow, rule.share), rule.condition),
        ]
        for rule in found.fact.rules
    ]
    print_table(rows, ["name", "action", "severity", "owner", "acts on", "when"])


def _acts(shadow: bool, share: int) -> str:
    return "nothing (shadow)" if shadow else f"{share / 100:g} %"


def _facts(found: PublishedRules) -> dict[str, Any]:
    from domain.times import to_rfc3339

    return {
        "version": found.version,
        "published_at": to_rfc3339(found.known_time),
        "rules": len(found.fact.rules),
        "rules_hash": found.fact.rules_hash,
        "reason": found.fact.reason,
        "took_back": found.fact.took_back,
    }
