"""Figures of rules and of the business, each from its definition, straight from the log."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.events import (
    Envelope,
    Outcome,
    RulesApplied,
    StepUpConcluded,
    TransactionLabelled,
    TransactionScored,
)
from domain.policy.rules.numbers import as_text, from_text
from domain.times import DAY, to_datetime
from projections.readmodels.queries.tallies import Window
from tests.builders.read_model_facts import CheckedLog
from tests.fakes.rules import rule

OUTCOMES: tuple[Outcome, ...] = ("approve", "review", "step_up", "decline")
MATURITIES = (7, 30, 60, 90)
SETS = {
    5: [rule("a", action="decline", shadow=True), rule("b"), rule("c", action="adjust", points=9)],
    9: [rule("b", action="step_up", share=1_000), rule("a", action="decline", share=1_000)],
}


def applied(version: int, truths: str, **more: Any) -> RulesApplied:
    """One letter a rule: `+` acted, `s` held as a shadow, `?` unknown, `-` did not hold."""
    places = {kind: [n for n, each in enumerate(truths) if each == kind] for kind in "+s?"}
    return RulesApplied(
        version=version, fired=places["+"], shadow=places["s"],
        not_evaluable=as_text(places["?"]), score=0.5, **more,
    )  # fmt: skip


@dataclass
class Decided:
    """What the log holds of one decision: its event, and its labels in order."""

    fact: Envelope
    labels: list[Envelope]
    step_up: Envelope | None = None

    def label(self, known: int) -> int | None:
        """Of the labels known then the last."""
        return next(
            (each.data.value for each in reversed(self.labels) if each.known_time <= known), None
        )


def decided(log: CheckedLog, window: Window) -> Iterator[Decided]:
    decisions: dict[str, Envelope] = {}
    labels: dict[str, list[Envelope]] = defaultdict(list)
    concluded: dict[str, Envelope] = {}
    for records in log.records.values():
        for record in records:
            fact = record.envelope
            if fact is None or record.status != "counts":
                continue
            if isinstance(fact.data, TransactionScored):
                decisions[fact.subject] = fact
            elif isinstance(fact.data, TransactionLabelled):
                labels[fact.subject].append(fact)
            elif isinstance(fact.data, StepUpConcluded):
                concluded[fact.subject] = fact
    for key, fact in decisions.items():
        in_window = window.since <= fact.data.transaction.timestamp < window.until
        if in_window and fact.known_time <= window.now:
            yield Decided(fact, labels[key], concluded.get(key))


def naive(chosen: list[Decided], now: int) -> dict[str, Any]:
    """Every figure from its definition, one pass over the decisions for each."""

    def those(*outcomes: str, label: int | None = None) -> list[int]:
        return [
            each.fact.data.transaction.base_amount
            for each in chosen
            if each.fact.data.outcome in (outcomes or OUTCOMES)
            and (label is None or each.label(now) == label)
        ]

    def ended(result: str, label: int | None = None) -> list[int]:
        return [
            each.fact.data.transaction.base_amount
            for each in chosen
            if each.step_up is not None
            and each.step_up.known_time <= now
            and each.step_up.data.result == result
            and (label is None or each.label(now) == label)
        ]

    flagged = ("review", "step_up", "decline")
    matured = []
    for days in MATURITIES:
        old = [
            each.label(each.fact.data.transaction.timestamp + days * DAY)
            for each in chosen
            if each.fact.data.transaction.timestamp + days * DAY <= now
        ]
        known = [value for value in old if value is not None]
        matured.append(
            {"days": days, "decisions": len(old), "labelled": len(known), "fraud": sum(known)}
        )
    return {
        "decisions": len(those()),
        "base_amount_minor": sum(those()),
        "approved": len(those("approve")),
        "reviewed": len(those("review")),
        "stepped_up": len(those("step_up")),
        "declined": len(those("decline")),
        "declined_base_amount_minor": sum(those("decline")),
        "fraud": len(those(label=1)),
        "fraud_base_amount_minor": sum(those(label=1)),
        "genuine": len(those(label=0)),
        "caught": len(those(*flagged, label=1)),
        "missed": len(those("approve", label=1)),
        "missed_base_amount_minor": sum(those("approve", label=1)),
        "flagged_genuine": len(those(*flagged, label=0)),
        "declined_genuine": len(those("decline", label=0)),
        "declined_genuine_base_amount_minor": sum(those("decline", label=0)),
        "step_ups_passed": len(ended("passed")),
        "step_ups_failed": len(ended("failed")),
        "step_ups_abandoned": len(ended("abandoned")),
        "passed_fraud": len(ended("passed", 1)),
        "passed_fraud_base_amount_minor": sum(ended("passed", 1)),
        "by_maturity": matured,
    }


def naive_rule(chosen: list[Decided], version: int, number: int, now: int) -> dict[str, Any]:
    rules = {id(each): each.fact.data.rules for each in chosen}
    mine = [each for each in chosen if rules[id(each)] and rules[id(each)].version == version]
    acted = [each for each in mine if number in rules[id(each)].fired]
    shadow = [each for each in mine if number in rules[id(each)].shadow]
    action = SETS[version][number].action
    milder = OUTCOMES[: OUTCOMES.index(action)] if action in OUTCOMES else ()
    instead = [each for each in shadow if each.fact.data.outcome in milder]
    together = {
        other.name: sum(
            place in (*rules[id(each)].fired, *rules[id(each)].shadow) for each in acted + shadow
        )
        for place, other in enumerate(SETS[version])
        if place != number
    }
    return {
        "decisions": len(mine),
        "not_evaluable": sum(number in from_text(rules[id(e)].not_evaluable) for e in mine),
        "acted": naive(acted, now),
        "shadow": naive(shadow, now),
        "instead": naive(instead, now) if action in OUTCOMES[1:] else None,
        "together": {name: count for name, count in together.items() if count},
    }


def of_day(each: Decided) -> date:
    return to_datetime(each.fact.data.transaction.timestamp).date()


def grouped(chosen: list[Decided], key: Callable[[Decided], Any]) -> dict[Any, list[Decided]]:
    found: dict[Any, list[Decided]] = defaultdict(list)
    for each in chosen:
        found[key(each)].append(each)
    return found
