"""Alerts of a backtest: which a suppression silences, what cases the others are, and their load."""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.cases import WINDOW_US
from domain.events import Suppression
from domain.features.entities import PAYER_FIELDS
from domain.policy.suppressions import ALERTING, due_to
from domain.policy.thresholds import SEVERITY
from operations.backtest.policies.deciding import Decisions, Part
from operations.backtest.policies.past import Ints, Past
from projections.replay.rules import Bools

_ALERTING = [SEVERITY.index(each) for each in ALERTING]


def raised(made: Decisions) -> Bools:
    """[transactions] whether the decision raises an alert."""
    found: Bools = np.isin(made.outcomes, _ALERTING)
    return found


def told(past: Past, made: Decisions) -> Bools:
    """[transactions] whether it raises one of which people are told."""
    return raised(made) & (silenced(past, made)[0] < 0)


def silenced(past: Past, made: Decisions) -> tuple[Ints, list[str]]:
    """[transactions] the number of the suppression that silences the alert, -1 for none; and the
    names of all. Of each alert it is what `suppression_of` finds."""
    found = np.full(len(past), -1, dtype=np.int64)
    names: dict[str, int] = {}
    if any(part.setting.suppressions for part in made.parts):
        alerting = raised(made)
        for part in made.parts:
            left = np.flatnonzero(alerting[part.rows])
            for each in part.setting.suppressions:
                mine = _silenced_by(past, part, each, left)
                found[part.rows[mine]] = names.setdefault(each.name, len(names))
                left = np.setdiff1d(left, mine, assume_unique=True)
    return found, list(names)


def _silenced_by(past: Past, part: Part, each: Suppression, left: Ints) -> Ints:
    """Of the positions `left` in the part those that it silences."""
    times = past.made.times[part.rows[left]]
    left = left[(times >= each.begins) & (times < each.until)]
    for field, ids in (
        ("card_id", each.cards),
        ("customer_id", each.customers),
        ("merchant_id", each.merchants),
        ("device_id", each.devices),
    ):
        if ids:
            left = left[_named(past, field, part.rows[left], set(ids))]
    if not each.rules:
        return left
    if part.rule_set is None:
        return np.empty(0, dtype=np.int64)
    fired = [np.isin(left, rows) for rows in part.rulings.fired]
    due = [_due(past, part, each, row, [n for n, those in enumerate(fired) if those[at]])
           for at, row in enumerate(left.tolist())]  # fmt: skip
    found: Ints = left[np.array(due, dtype=bool)]
    return found


def _named(past: Past, field: str, rows: Ints, ids: set[str]) -> Bools:
    texts = past.transactions.texts[field]
    codes = texts.codes[rows]
    wanted = [code for code in np.unique(codes).tolist() if code >= 0 and texts.values[code] in ids]
    found: Bools = np.isin(codes, wanted)
    return found


def _due(past: Past, part: Part, each: Suppression, row: int, fired: list[int]) -> bool:
    assert part.rule_set is not None
    name = str(past.made.transaction_ids[part.rows[row]])
    score = float(part.scores[row])
    return due_to(each.rules, part.rule_set, fired, name, score, part.thresholds)


def cases(past: Past, alerts: Bools) -> Ints:
    """The day of each case that these alerts are, counted from the day of the first transaction.

    A case is what `domain.cases.case_id_of` makes of them: a payer and a day of event time (UTC).
    """
    payers = np.full(len(past), -1, dtype=np.int64)
    base = 0
    for field in PAYER_FIELDS:
        texts = past.transactions.texts[field]
        fresh = (payers < 0) & (texts.codes >= 0)
        payers[fresh] = base + texts.codes[fresh]
        base += len(texts.values)
    # Where nobody is named, the transaction is a case of its own.
    nobody = payers < 0
    payers[nobody] = base + np.flatnonzero(nobody)
    days = past.made.times // WINDOW_US
    days -= days.min()
    span = int(days.max()) + 1
    found: Ints = np.unique(payers[alerts] * span + days[alerts]) % span
    return found


def load_of(past: Past, made: Decisions, minutes: float) -> dict[str, Any]:
    """What people get: `total` is without the `suppressed`. A case takes an analyst `minutes`."""
    times = past.made.times // WINDOW_US
    days = np.arange(times.min(), times.max() + 1)
    suppressed, names = silenced(past, made)
    alerting = told(past, made)
    by_day = np.bincount(times[alerting] - days[0], minlength=len(days))
    of_cases = np.bincount(cases(past, alerting), minlength=len(days))
    hours = of_cases * minutes / 60
    frauds = int((alerting & (past.made.labels == 1)).sum())
    return {
        "total": int(alerting.sum()),
        "suppressed": int((suppressed >= 0).sum()),
        "suppressed_by": {name: int((suppressed == n).sum()) for n, name in enumerate(names)},
        "days": len(days),
        "per_day": float(by_day.mean()),
        "busiest_day": int(by_day.max()),
        "cases": int(of_cases.sum()),
        "cases_per_day": float(of_cases.mean()),
        "cases_busiest_day": int(of_cases.max()),
        "analyst_hours_per_day": float(hours.mean()),
        "analyst_hours_busiest_day": float(hours.max()),
        "cases_per_analyst_hour": 60 / minutes,
        "frauds_per_analyst_hour": frauds / float(hours.sum()) if hours.any() else None,
    }
