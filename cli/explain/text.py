"""An explanation on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.explain.events import event_line, print_wrapped, shown, usual
from cli.output import print_table

if TYPE_CHECKING:
    from operations.explain.told import (
        Explanation,
        ToldAsKnown,
        ToldChange,
        ToldCounterfactuals,
        ToldDecision,
        ToldEvent,
        ToldFeature,
        ToldRule,
    )

_WEIGHTY = 0.1  # log odds, a tenth of the odds
_MOST = 20
_EVENTS = 3


def print_explanation(made: Explanation, *, whole: bool) -> None:
    """All of it; of the features the weighty ones unless the `whole` is asked for."""
    paid = made.transaction
    amount = f"{paid.get('amount', paid.get('amount_minor'))} {paid['currency']}"
    print(f"{made.transaction_id}: {amount}, {paid['timestamp']}")
    if made.decision is None:
        print(f"{made.status}, known {made.known_time}: nobody decided it")
    else:
        _decision(made.decision)
    _entities(made)
    _features(made, whole)
    if made.rules is not None:
        _rules("Rules that acted", made.rules.fired)
        _rules("Rules that held and did not act", made.rules.shadow)
        _rules("Rules that were not evaluable", made.rules.not_evaluable)
    if made.counterfactuals is not None:
        _counterfactuals(made.counterfactuals)
    if made.as_known is not None:
        _as_known(made.as_known, made)
    for note in made.notes:
        print_wrapped(f"note: {note}")
    cost = made.cost
    print(
        f"\n{cost.opened:,} of {cost.files:,} archived files were read,"
        f" {cost.records:,} records looked through"
    )


def _decision(decision: ToldDecision) -> None:
    odds = "" if decision.log_odds is None else f" (log odds {decision.log_odds:+.2f})"
    print(f"{decision.outcome} at {decision.score:.4f}{odds}, decided {decision.decided_at}")
    least = ", ".join(f"{k.replace('_', '-')} from {v:.4g}" for k, v in decision.thresholds.items())
    print(f"  path {decision.path}; {least}")
    print(f"  model {decision.model_id}, policy version {decision.policy_version}")
    for text in decision.reasons.values():
        print_wrapped(f"- {text}", 2)
    if decision.suppressed_by is not None:
        print(f"  its alert is silenced by {decision.suppressed_by}")


def _entities(made: Explanation) -> None:
    rows = [
        [
            each.entity.replace("_", " and "),
            # The parts of a pair have lines of their own.
            "" if len(each.key) > 1 else next(iter(each.key.values())),
            f"{each.payments:,}" if each.read else "not read",
            f"{each.labels:,}" if each.read else "",
            _day(each.first),
            _day(each.last),
        ]
        for each in made.entities
    ]
    print("\nWho was known, by the events within the reach of features")
    if rows:
        titles = ["ENTITY", "KEY", "PAYMENTS", "LABELS", "FIRST", "LAST"]
        print_table(rows, titles, right=["PAYMENTS", "LABELS"])
    else:
        print("nobody: the payment names no one")


def _day(event: ToldEvent | None) -> str:
    return "" if event is None else event.time[:10]


def _features(made: Explanation, whole: bool) -> None:
    chosen = [each for each in made.features if whole or _is_weighty(each)]
    chosen = chosen or [each for each in made.features if each.value]
    chosen.sort(key=lambda each: -abs(each.contribution or 0.0))
    chosen = chosen if whole else chosen[:_MOST]
    print("\nFeatures: what they add to the log odds, and by how many events")
    rows = [
        [
            each.name,
            shown(each.value, each.unit),
            usual(each),
            "" if each.contribution is None else f"{each.contribution:+.2f}",
            f"{each.total:,}" if each.total else "",
        ]
        for each in chosen
    ]
    titles = ["FEATURE", "VALUE", "USUAL", "ADDS", "EVENTS"]
    print_table(rows, titles, right=["VALUE", "ADDS", "EVENTS"])
    if len(chosen) < len(made.features):
        print(f"{len(made.features) - len(chosen)} more: --all shows them")
    for each in [each for each in chosen if each.events][:_EVENTS]:
        print()
        print_wrapped(f"{each.name}: {each.meaning}")
        for event in each.events[:_EVENTS]:
            print_wrapped(event_line(event), 2)
        if each.total > _EVENTS:
            print(f"  and {each.total - _EVENTS:,} more: --feature {each.name}")


def _is_weighty(feature: ToldFeature) -> bool:
    return abs(feature.contribution or 0.0) >= _WEIGHTY


def _rules(title: str, rules: list[ToldRule]) -> None:
    if rules:
        print(f"\n{title}")
    for each in rules:
        print_wrapped(f"{each.name} ({each.action}): {each.words}", 2)
        values = ", ".join(f"{name} {_value(value)}" for name, value in each.values.items())
        print_wrapped(f"when {each.condition}", 4)
        if values:
            print_wrapped(f"with {values}", 4)
        if each.unknown:
            print_wrapped(f"unknown: {', '.join(each.unknown)}", 4)


def _value(value: float | str | bool) -> str:
    return shown(value) if isinstance(value, float) else str(value)


def _counterfactuals(made: ToldCounterfactuals) -> None:
    print(f"\nWhat would have changed the outcome ({made.tried:,} trials), the least first")
    if not made.found:
        print_wrapped(made.note, 2)
    for each in made.found:
        changed = " and ".join(map(_changed, each.changes))
        print_wrapped(f"{each.outcome} at {each.score:.4f}: {changed}", 2)


def _changed(change: ToldChange) -> str:
    if change.before == "not listed":
        return change.after
    if change.after == "not listed":
        return f"no {change.before}"
    return f"{change.what} {change.after} in place of {change.before}"


def _as_known(known: ToldAsKnown, made: Explanation) -> None:
    print(f"\nBy what was known at {known.at}")
    print(
        f"  {known.more_total:,} events more than were served, {known.fewer_total:,} fewer;"
        f" {len(known.differing):,} features differ"
    )
    if known.outcome is not None:
        print(f"  {known.outcome} at {known.score:.4f}")
    for text in (known.reasons or {}).values():
        print_wrapped(f"- {text}", 4)
    for event in known.more[:_EVENTS]:
        print_wrapped(f"{event_line(event)}; known {event.known_time[:19]}Z", 2)
    rows = [
        [each.name, shown(each.value, each.unit), shown(each.as_known, each.unit)]
        for each in made.features
        if each.name in known.differing
    ]
    if rows:
        print_table(rows, ["FEATURE", "SERVED", "KNOWN"], right=["SERVED", "KNOWN"])
