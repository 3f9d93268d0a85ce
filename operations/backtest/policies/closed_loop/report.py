"""Report of the closed loop: of each policy the figures of both loops, and what parts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from commands.ports import RuleLanguage
from eventlog.archive.history import History
from operations.backtest.policies.closed_loop.extract import extract, kept
from operations.backtest.policies.closed_loop.feedback import Blocking, Feedback, feedback_of
from operations.backtest.policies.closed_loop.loop import Closed, closed_loop
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.declared import columns_of, shown
from operations.backtest.policies.figures import Load, compared, of_policy
from operations.backtest.policies.past import Past
from operations.backtest.policies.policy import Policy
from operations.progress import Count, Say, read_events

_DIFFERENT = (
    *("precision", "recall", "missed_fraud", "caught_fraud"),
    *("genuine_declined", "genuine_declined_money"),
)

Tried = Sequence[tuple[Policy, Decisions]]
"""Policies with their decisions in the open loop, the baseline first."""


def read_feedback(
    history: History,
    past: Past,
    period: tuple[int, int],
    as_known_at: int,
    block: Blocking,
    say: Say,
    count: Count,
) -> Feedback:
    """Reads the log once more: what a backtest keeps of it has no events. Raises what that does."""
    events = read_events(history, say, count, by_known_time=True)
    return feedback_of(events, past, period, as_known_at, block)


def report_of(
    past: Past,
    feedback: Feedback,
    block: Blocking,
    tried: Tried,
    language: RuleLanguage,
    load: Load,
    say: Say,
    count: Count,
) -> dict[str, Any]:
    """Plain values; money in minor units of the base currency."""
    goes_on = ~feedback.stopped
    rows = np.flatnonzero(goes_on)
    remaining = extract(past, rows)
    policies, closed = [], []
    for policy, opened in tried:
        say(f"closing the loop of {policy.name}")
        found = closed_loop(past, feedback, opened, policy, language, count)
        made = kept(found.decisions, goes_on)
        closed.append(made)
        before = of_policy(remaining, kept(opened, goes_on), load)
        after = of_policy(remaining, made, load)
        policies.append(
            {
                "policy": policy.name,
                **_effort(found, opened, feedback),
                "open": before,
                "closed": after,
                "difference": _difference(before, after),
            }
        )
    return {
        "block": block,
        "features": shown(feedback.features.names, *(columns_of(p.features) for p, _ in tried)),
        "stopped": _stopped(past, feedback),
        "policies": policies,
        "compared": [compared(remaining, closed[0], each) for each in closed[1:]],
    }


def _effort(found: Closed, opened: Decisions, feedback: Feedback) -> dict[str, int]:
    other = (found.decisions.outcomes != opened.outcomes) & ~feedback.stopped
    return {
        "rounds": found.rounds,
        "decided_again": found.decided,
        "other_decisions": int(other.sum()),
    }


def _stopped(past: Past, feedback: Feedback) -> dict[str, int]:
    """What never came to a decision: in neither loop's figures."""
    labels, amounts = past.made.labels, past.made.payments.amounts
    rows = feedback.stopped
    return {
        "transactions": int(rows.sum()),
        "frauds": int((rows & (labels == 1)).sum()),
        "fraud_money": int(amounts[rows & (labels == 1)].sum()),
        "genuine": int((rows & (labels == 0)).sum()),
        "money": int(amounts[rows].sum()),
    }


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    def less(name: str, a: Any, b: Any) -> tuple[str, Any]:
        return name, None if a is None or b is None else b - a

    outcomes = (
        less(name, before["decisions"][name], after["decisions"][name])
        for name in before["decisions"]
    )
    alerts = (
        less(name, before["alerts"][name], after["alerts"][name])
        for name in ("total", "per_day", "busiest_day")
    )
    return {
        "decisions": dict(outcomes),
        **dict(less(name, before[name], after[name]) for name in _DIFFERENT),
        "alerts": dict(alerts),
    }
