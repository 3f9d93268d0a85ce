"""`retrace policy`: lint, diff, publish, history, show, statistics, lists; `retrace figures`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import parse_moment, print_table
from cli.policy import lists
from cli.policy.figures import figures
from cli.policy.statistics import statistics

if TYPE_CHECKING:
    from commands.policy.topic import Published
    from domain.events import RoutesPublished, RulesPublished
    from operations.policy.publishing import RulePublisher

    PublishedSet = Published[RulesPublished] | Published[RoutesPublished]

_SETS = ("rules", "routes")
_group = typer.Typer(
    help="Check, publish and take back the rules and lists of the policy, and the routes of alerts."
)
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Of YAML files with rules, lists and routes.")
]


def register(app: typer.Typer) -> None:
    """Adds the command group, and the figures of what policy leads to, to the app."""
    _group.command()(statistics)
    lists.register(_group)
    app.add_typer(_group, name="policy")
    app.command()(figures)


@_group.command()
def lint(folder: _Folder, as_json: _AsJson = False) -> None:
    """Check rules, lists and routes; 1 if one is wrong. Asks no server."""
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
            counts = (
                f"{len(found.rules)} rules, {len(found.lists)} lists, {len(found.routes)} routes"
            )
            print(f"{counts}, nothing wrong")
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
        print("nothing differs")


@_group.command()
def publish(
    reason: Annotated[str, typer.Option(help="Why; the history shows it.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Of YAML files with rules, lists and routes."),
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Take back to this earlier set, in place of a folder.")
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="The policy that ships, in place of a folder.")
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Put rules, lists and routes in force, everywhere, each from one position of the log on."""
    from domain.errors import InvalidInputError
    from operations.policy.publishing import DEFAULT_FOLDER
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
        now = _newest(publisher)
    if as_json:
        print(json.dumps({"published": changed, **{k: _facts(each) for k, each in now.items()}}))
    elif not changed:
        print("this is in force already")
    else:
        if "lists" in changed:
            print("the entries of lists are in force: retrace policy lists history")
        for kind in (each for each in _SETS if each in changed):
            print(f"{_facts(now[kind])[kind]} {kind} are in force, version {now[kind].version}")


@_group.command()
def history(as_json: _AsJson = False) -> None:
    """List the sets that were published, the newest first."""
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        found: list[PublishedSet] = [*publisher.history(), *publisher.routes_history()]
    sets = [_facts(each) for each in sorted(found, key=lambda each: -each.version)]
    if as_json:
        print(json.dumps(sets))
        return
    titles = ["version", "published", "holds", "hash", "reason"]
    print_table(
        [
            [
                *(str(each["version"]), each["published_at"]),
                *(f"{each[kind]} {kind}", each[f"{kind}_hash"][:12], each["reason"]),
            ]
            for each in sets
            for kind in _SETS
            if kind in each
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
    """Show the rules, lists and routes in force, now or as known at a moment."""
    from domain.errors import NotFoundError
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    moment = parse_moment("--as-known-at", as_known_at)
    with open_publisher(load_settings()) as publisher:
        found = _newest(publisher, moment)
    if not found:
        raise NotFoundError("published policy", as_known_at or "now")
    if as_json:
        sets = {kind: _facts(each) | asdict(each.fact) for kind, each in found.items()}
        print(json.dumps(sets.get("rules", {}) | {"routes": sets.get("routes")}))
        return
    for kind, each in found.items():
        print(f"version {each.version}, {_facts(each)[kind]} {kind}")
        _show_rows(each)


def _newest(publisher: RulePublisher, moment: int | None = None) -> dict[str, PublishedSet]:
    """The set of rules and that of routes, where there is one."""
    rules, routes = publisher.history(moment), publisher.routes_history(moment)
    return {**({"rules": rules[-1]} if rules else {}), **({"routes": routes[-1]} if routes else {})}


def _show_rows(found: PublishedSet) -> None:
    from domain.events import RulesPublished

    if isinstance(found.fact, RulesPublished):
        rows = [
            [
                *(rule.name, rule.action, rule.severity, rule.owner),
                *(_acts(rule.shadow, rule.share), rule.condition),
            ]
            for rule in found.fact.rules
        ]
        print_table(rows, ["name", "action", "severity", "owner", "acts on", "when"])
        for seen in found.fact.lists:
            kind = seen.attribute or seen.of
            print(f"lists.{seen.name}: {seen.purpose} list of {kind}, {seen.owner}")
        return
    rows = [
        [
            *(each.name, each.to, each.severity, ", ".join(each.merchants) or "all"),
            *(f"{each.amount:,}", " ".join([*each.days, each.hours, each.zone])),
            f"{each.at_most or 'any number'} a minute",
        ]
        for each in found.fact.routes
    ]
    print_table(rows, ["name", "to", "from severity", "merchants", "from amount", "when", "sends"])


def _acts(shadow: bool, share: int) -> str:
    return "nothing (shadow)" if shadow else f"{share / 100:g} %"


def _facts(found: PublishedSet) -> dict[str, Any]:
    from domain.events import RulesPublished
    from domain.times import to_rfc3339

    fact = found.fact
    kind = "rules" if isinstance(fact, RulesPublished) else "routes"
    held = fact.rules if isinstance(fact, RulesPublished) else fact.routes
    hashed = fact.rules_hash if isinstance(fact, RulesPublished) else fact.routes_hash
    return {
        "version": found.version,
        "published_at": to_rfc3339(found.known_time),
        kind: len(held),
        f"{kind}_hash": hashed,
        "reason": fact.reason,
        "took_back": fact.took_back,
    }
