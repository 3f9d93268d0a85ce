"""`retrace policy history` and `show`: the sets that were published, and what they hold."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import parse_moment, print_table

if TYPE_CHECKING:
    from domain.events import RoutesPublished, RulesPublished, SetPublished, SuppressionsPublished

_OTHERS = ("thresholds", "exploration", "routes", "suppressions")
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Adds both commands to the group of the policy."""
    app.command()(history)
    app.command()(show)


def history(as_json: _AsJson = False) -> None:
    """List the sets that were published, the newest first."""
    from operations.policy.sets import summary
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    with open_publisher(load_settings()) as publisher:
        found = [each for sets in publisher.sets().values() for each in sets]
    sets = [summary(each) for each in sorted(found, key=lambda each: -each.version)]
    if as_json:
        print(json.dumps(sets))
        return
    rows = []
    for each in sets:
        hashed = next((str(text)[:12] for key, text in each.items() if key.endswith("_hash")), "")
        rows.append(
            [str(each["version"]), each["published_at"], _held(each), hashed, each["reason"]]
        )
    print_table(rows, ["version", "published", "holds", "hash", "reason"])


def show(
    as_known_at: Annotated[
        str | None, typer.Option("--as-known-at", metavar="TIME", help="Those in force then.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Show the sets in force, now or as known at a moment."""
    from domain.errors import NotFoundError
    from operations.policy.sets import summary
    from runtime.composition.models import open_publisher
    from runtime.settings import load_settings

    moment = parse_moment("--as-known-at", as_known_at)
    with open_publisher(load_settings()) as publisher:
        found = {kind: sets[-1] for kind, sets in publisher.sets(moment).items() if sets}
    if not found:
        raise NotFoundError("published policy", as_known_at or "now")
    if as_json:
        told = {
            # Who knows the salt of an exploration can choose ids that pass.
            kind: summary(each) | (asdict(each.fact) if kind != "exploration" else {})
            for kind, each in found.items()
        }
        others = {kind: told.get(kind) for kind in _OTHERS}
        print(json.dumps(told.get("rules", {}) | others))
        return
    for each in found.values():
        print(f"version {each.version}, {_held(summary(each))}")
        _show_rows(each.fact)


def said_of(summary: dict[str, Any]) -> str:
    """As `3 rules are`, of what `summary` of operations.policy.sets gives."""
    one = summary.get("thresholds", 0) is None or "exploration" in summary
    return f"{_held(summary)} {'is' if one else 'are'}"


def _held(summary: dict[str, Any]) -> str:
    if "exploration" in summary:
        return f"exploration of {summary['exploration'] / 100:g} %"
    if "thresholds" not in summary:
        kind = next(each for each in ("rules", "routes", "suppressions") if each in summary)
        return f"{summary[kind]} {kind}"
    given = summary["thresholds"]
    if given is None:
        return "no thresholds but the model's"
    return "thresholds " + ", ".join(f"{name} {least:g}" for name, least in given.items())


def _show_rows(fact: SetPublished) -> None:
    from domain.events import RoutesPublished, RulesPublished, SuppressionsPublished

    if isinstance(fact, RulesPublished):
        _show_rules(fact)
    elif isinstance(fact, RoutesPublished):
        _show_routes(fact)
    elif isinstance(fact, SuppressionsPublished):
        _show_suppressions(fact)


def _show_rules(fact: RulesPublished) -> None:
    rows = [
        [
            *(rule.name, rule.action, rule.severity, rule.owner),
            *(_acts(rule.shadow, rule.share), rule.condition),
        ]
        for rule in fact.rules
    ]
    print_table(rows, ["name", "action", "severity", "owner", "acts on", "when"])
    for seen in fact.lists:
        kind = seen.attribute or seen.of
        print(f"lists.{seen.name}: {seen.purpose} list of {kind}, {seen.owner}")


def _show_routes(fact: RoutesPublished) -> None:
    rows = [
        [
            *(each.name, each.to, each.severity, ", ".join(each.merchants) or "all"),
            *(f"{each.amount:,}", " ".join([*each.days, each.hours, each.zone])),
            f"{each.at_most or 'any number'} a minute",
        ]
        for each in fact.routes
    ]
    print_table(rows, ["name", "to", "from severity", "merchants", "from amount", "when", "sends"])


def _show_suppressions(fact: SuppressionsPublished) -> None:
    from domain.policy.suppressions import named_in
    from domain.times import to_rfc3339

    rows = [
        [
            each.name,
            "; ".join(f"{key} {', '.join(ids)}" for key, ids in named_in(each).items() if ids),
            *(to_rfc3339(each.begins), to_rfc3339(each.until), each.owner, each.reason),
        ]
        for each in fact.suppressions
    ]
    print_table(rows, ["name", "about", "from", "until", "owner", "reason"])


def _acts(shadow: bool, share: int) -> str:
    return "nothing (shadow)" if shadow else f"{share / 100:g} %"
