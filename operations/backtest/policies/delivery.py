"""Delivery of a backtest's alerts: what the routes of a policy would have sent, and how late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from commands.alerts.routing import severity_of
from domain.events import AlertRaised, Envelope, Route
from domain.policy.rules.ruling import words_of
from domain.policy.thresholds import SEVERITY
from domain.policy.verdict import MOST_REASONS
from operations.backtest.policies.deciding import Decisions, Part, paths
from operations.backtest.policies.past import Ints, Past
from operations.backtest.policies.policy import Policy
from operations.backtest.policies.silenced import told
from operations.backtest.storms.figures import figures_of
from operations.backtest.storms.playing import Told, play
from projections.replay.rules import Bools

_TEXTS = ("card_id", "customer_id", "merchant_id", "currency")


def delivery_of(past: Past, policy: Policy, made: Decisions) -> dict[str, Any]:
    """Figures of all alerts that nothing silences, each raised when its transaction was known.

    Alerts about models and overdue cases are not among them, nor is RETRACE_WEBHOOK_URL.
    """
    alerts = told(past, made)
    found = [each for part in made.parts for each in _alerts(past, made, part, alerts)]
    found.sort(key=lambda each: each.alert.known_time)
    return figures_of(found, play(found, changes_of_routes(policy)))


def changes_of_routes(policy: Policy) -> Mapping[str, list[tuple[int, Route | None]]]:
    """By name each definition with the known time from which it counts, None for a withdrawal."""
    names = dict.fromkeys(route.name for _, each in policy.stretches for route in each.routes)
    found: dict[str, list[tuple[int, Route | None]]] = {name: [] for name in names}
    for since, each in policy.stretches:
        now = {route.name: route for route in each.routes}
        for name, changes in found.items():
            if not changes or changes[-1][1] != now.get(name):
                changes.append((since, now.get(name)))
    return found


def _alerts(past: Past, made: Decisions, part: Part, alerts: Bools) -> Iterator[Told]:
    positions = np.flatnonzero(alerts[part.rows])
    rules = part.rule_set.rules if part.rule_set else ()
    fired = np.array([np.isin(positions, rows) for rows in part.rulings.fired], dtype=bool)

    @cache
    def reasons(which: tuple[int, ...], path: str) -> list[str]:
        codes = words_of(rules[number] for number in which)
        return [*([] if path == "full" else [f"path.{path}"]), *codes][:MOST_REASONS]

    by_path = paths(past, part.rows[positions], scored=bool(part.model_hash)).tolist()
    texts = _texts(past, part.rows[positions])
    for at, row in enumerate(part.rows[positions].tolist()):
        which = tuple(np.flatnonzero(fired[:, at]).tolist()) if rules else ()
        score = float(part.scores[positions[at]])
        alert = _alert(
            past,
            made,
            row,
            score,
            reasons(which, by_path[at]),
            {n: t[at] for n, t in texts.items()},
        )
        yield Told(alert, severity_of(alert, rules), part.setting.routes)


def _texts(past: Past, rows: Ints) -> dict[str, list[str | None]]:
    columns = {name: past.transactions.column(name, rows) for name in _TEXTS}
    return {
        name: [
            value if known else None
            for value, known in zip(each.values.tolist(), each.known.tolist(), strict=True)
        ]
        for name, each in columns.items()
    }


def _alert(
    past: Past, made: Decisions, row: int, score: float, reasons: list[str], texts: dict[str, Any]
) -> Envelope:
    """As far as routes look at it: without the model's reasons."""
    name, known = str(past.made.transaction_ids[row]), int(past.made.known[row])
    numbers = past.transactions.numbers
    data = AlertRaised(
        alert_id=name,
        transaction_id=name,
        outcome=SEVERITY[made.outcomes[row]],
        score=score,
        reasons=reasons,
        amount=int(numbers["amount"].values[row]),
        transaction_time=int(past.made.times[row]),
        base_amount=int(numbers["base_amount"].values[row]),
        **texts,
    )
    return Envelope(
        id=name, source="backtest", subject=name, time=known, known_time=known, data=data,
        correlation_id=name,
    )  # fmt: skip
