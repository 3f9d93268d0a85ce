"""An explanation on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.explain.events import shown, usual
from cli.output import print_table

if TYPE_CHECKING:
    from operations.explain.told import (
        Explanation,
        ToldAsKnown,
        ToldCounterfactuals,
        ToldDecision,
        ToldEvent,
        ToldFeature,
        ToldRule,
    )

_WEIGHTY = 0.05  # log odds
_EVENTS = 3


def print_explanation(made: Explanation, *, whole: bool) -> None:
    """All of it; of the features the weighty ones unless the `whole` is asked for."""
    paid = made.transaction
    amount = f"{paid.get('amount', paid.get('amount_minor'))} {paid['currency']}"
    print(f"{made.transaction_id}: {amount} at {paid['timestamp']}")
    if made.decision is None:
        print(f"{made.status}, known {made.known_time}; nobody decided it")
    else:
        _decision(made.decision)
    _entities(made)
    _features(made, whole)
    if made.rules is not None:
        _rules("fired", made.rules.fired)
        _rules("held as shadow", made.rules.shadow)
        _rules("not evaluable", made.rules.not_evaluable)
    if made.counterfactuals is not None:
        _counterfactuals(made.counterfactuals)
    if made.as_known is not None:
        _as_known(made.as_known, made)
    for note in made.notes:
        print(f"note: {note}")
    cost = made.cost
    print(f"\n{cost.opened:,} of {cost.files:,} archived files read, {cost.records:,} records")


def _decision(decision: ToldDecision) -> None:
    odds = "" if decision.log_odds is None else f" (log odds {decision.log_odds:+.2f})"
    print(f"{decision.outcome} at a score of {decision.score:.4f}{odds}, {decision.decided_at}")
    least = ", ".join(f"{k.replace('_', '-')} from {v:g}" for k, v in decision.thresholds.items())
    print(f"  path {decision.path}; {least}")
    print(f"  model {decision.model_id}, policy version {decision.policy_version}")
    for text in decision.reasons.values():
        print(f"  - {text}")
    if decision.suppressed_by is not None:
        print(f"  its alert is silenced by {decision.suppressed_by}")


def _entities(made: Explanation) -> None:
    rows = [
        [
            each.entity.replace("_", " and "),
            ", ".join(each.key.values()),
            f"{each.payments:,}" if each.read else "not read",
            f"{each.labels:,}" if each.read else "",
            _when(each.first),
            _when(each.last),
        ]
        for each in made.entities
    ]
    print("\nWho was known, by the events that features still reach")
    if rows:
        titles = ["ENTITY", "KEY", "PAYMENTS", "LABELS", "FIRST", "LAST"]
        print_table(rows, titles, right=["PAYMENTS", "LABELS"])
    else:
        print("nobody: the payment names no one")


def _when(event: ToldEvent | None) -> str:
    return "" if event is None else event.time[:16].replace("T", " ")


def _features(made: Explanation, whole: bool) -> None:
    weighty = [each for each in made.features if whole or _is_weighty(each)]
    weighty = weighty or [each for each in made.features if each.value]
    weighty.sort(key=lambda each: -abs(each.contribution or 0.0))
    print("\nFeatures, with what they add to the log odds and how many events made them")
    rows = [
        [
            each.name,
            shown(each.value),
            each.unit,
            usual(each),
            "" if each.contribution is None else f"{each.contribution:+.2f}",
            f"{each.total:,}" if each.total else "",
        ]
        for each in weighty
    ]
    titles = ["FEATURE", "VALUE", "UNIT", "USUAL", "ADDS", "EVENTS"]
    print_table(rows, titles, right=["VALUE", "ADDS", "EVENTS"])
    if len(weighty) < len(made.features):
        print(f"{len(made.features) - len(weighty)} more weigh little: --all shows them")
    for each in [each for each in weighty if each.events][:_EVENTS]:
        print(f"\n{each.name}: {each.meaning}")
        for event in each.events[:_EVENTS]:
            print(f"  {event.transaction_id}  {event.kind} {event.time}  {event.amount}")
        if each.total > _EVENTS:
            print(f"  and {each.total - _EVENTS:,} more: --feature {each.name}")


def _is_weighty(feature: ToldFeature) -> bool:
    return abs(feature.contribution or 0.0) >= _WEIGHTY


def _rules(title: str, rules: list[ToldRule]) -> None:
    if not rules:
        return
    print(f"\nRules that were {title}" if title == "not evaluable" else f"\nRules that {title}")
    for each in rules:
        print(f"  {each.name} ({each.action}): {each.words}")
        values = ", ".join(f"{name} {_value(value)}" for name, value in each.values.items())
        print(f"    when {each.condition}")
        if values:
            print(f"    with {values}")
        if each.unknown:
            print(f"    unknown: {', '.join(each.unknown)}")


def _value(value: float | str | bool) -> str:
    return shown(value) if isinstance(value, float) else str(value)


def _counterfactuals(made: ToldCounterfactuals) -> None:
    print(f"\nWhat would have changed the outcome ({made.tried:,} other decisions were taken)")
    if not made.found:
        print(f"  {made.note}")
    for each in made.found:
        changed = " and ".join(
            f"{change.what} {change.after} in place of {change.before}" for change in each.changes
        )
        print(f"  {each.outcome} at {each.score:.4f}: {changed}")


def _as_known(known: ToldAsKnown, made: Explanation) -> None:
    print(f"\nBy what was known at {known.at}: {known.more_total:,} events more than were")
    print(f"served, {known.fewer_total:,} fewer; {len(known.differing):,} features differ")
    if known.outcome is not None:
        print(f"  {known.outcome} at a score of {known.score:.4f}")
    for text in (known.reasons or {}).values():
        print(f"  - {text}")
    for event in known.more[:_EVENTS]:
        print(f"  {event.transaction_id}  {event.kind}, known {event.known_time}")
    rows = [
        [each.name, shown(each.value), shown(each.as_known)]
        for each in made.features
        if each.name in known.differing
    ]
    if rows:
        print_table(rows, ["FEATURE", "SERVED", "KNOWN"], right=["SERVED", "KNOWN"])
