"""Figures of policies over a period: quality, money, load, and what changes from one to another.

Money is in minor units of the base currency. A fraud that is reviewed, stepped up or declined
counts as caught, and one that is approved as missed. Labels are those known at the moment of the
backtest, but for the figures by maturity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.features.payments import MATURITIES, UNLABELLED
from domain.policy.thresholds import SEVERITY
from domain.times import DAY
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.past import Past
from operations.backtest.policies.silenced import cases, load_of, told
from projections.replay.ruling import Outcomes

Floats = NDArray[np.float64]

_DECLINE = SEVERITY.index("decline")
SEED = 20_180_401
_RESAMPLES, _GROUPS = 400, 20_000
_LEVEL = 0.95
_TOP = 12
_BANDS = (1_000, 5_000, 20_000, 100_000)  # minor units: 10, 50, 200 and 1,000


@dataclass(frozen=True, slots=True)
class Load:
    """`minutes` an analyst spends on one case."""

    minutes: float = 5.0


def of_policy(past: Past, made: Decisions, load: Load) -> dict[str, Any]:
    """Of one policy alone."""
    labels, amounts = past.made.labels, past.made.payments.amounts
    counts = np.bincount(made.outcomes, minlength=len(SEVERITY))
    return {
        "policy": made.name,
        "decisions": dict(zip(SEVERITY, counts.tolist(), strict=True)),
        **quality(made.outcomes, labels, amounts),
        "by_maturity": {
            f"{delay // DAY} days": quality(
                made.outcomes, past.made.payments.matured[:, number].astype(np.int64), amounts
            )
            for number, delay in enumerate(MATURITIES)
        },
        "alerts": load_of(past, made, load.minutes),
        "reasons": made.reasons(),
    }


def quality(outcomes: Outcomes, labels: NDArray[np.int64], amounts: Any) -> dict[str, Any]:
    """Of outcomes against labels and amounts, all [transactions]."""
    fraud, genuine = labels == 1, labels == 0
    flagged, declined = outcomes > 0, outcomes == _DECLINE
    return {
        "labelled": int((labels != UNLABELLED).sum()),
        "frauds": int(fraud.sum()),
        "precision": _ratio((fraud & flagged).sum(), ((fraud | genuine) & flagged).sum()),
        "recall": _ratio((fraud & flagged).sum(), fraud.sum()),
        "missed_fraud": int(amounts[fraud & ~flagged].sum()),
        "caught_fraud": int(amounts[fraud & flagged].sum()),
        "genuine_declined": int((genuine & declined).sum()),
        "genuine_declined_money": int(amounts[genuine & declined].sum()),
    }


def _ratio(part: Any, of: Any) -> float | None:
    return float(part) / float(of) if of else None


def compared(past: Past, base: Decisions, made: Decisions) -> dict[str, Any]:
    """What changes from the baseline to a candidate, with intervals, and by segment."""
    alerts = told(past, made).astype(np.int64) - told(past, base)
    changes = changes_of(past, base.outcomes, made.outcomes, alerts)
    moves = np.bincount(base.outcomes * len(SEVERITY) + made.outcomes, minlength=16).reshape(4, 4)
    return {
        "baseline": base.name,
        "candidate": made.name,
        **_totals(changes, slice(None)),
        "moves": {
            f"{SEVERITY[a]} to {SEVERITY[b]}": int(moves[a, b])
            for a in range(4)
            for b in range(4)
            if a != b and moves[a, b]
        },
        "intervals": intervals(past, base.outcomes, made.outcomes, changes),
        "segments": {
            name: _by_segment(changes, *segment) for name, segment in segments(past).items()
        },
        "censored": censored(past, made.outcomes),
    }


def changes_of(
    past: Past, base: Outcomes, made: Outcomes, alerts: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """By name what each transaction adds, [transactions]; `alerts` are those that people get."""
    labels, amounts = past.made.labels, past.made.payments.amounts
    fraud, genuine = labels == 1, labels == 0
    caught = (made > 0).astype(np.int64) - (base > 0)
    declined = (made == _DECLINE).astype(np.int64) - (base == _DECLINE)
    return {
        "transactions": np.ones(len(base), dtype=np.int64),
        "changed": (base != made).astype(np.int64),
        "saved": np.where(fraud & (caught > 0), amounts, 0),
        "lost": np.where(fraud & (caught < 0), amounts, 0),
        "genuine_declined": np.where(genuine, declined, 0),
        "genuine_declined_money": np.where(genuine, declined * amounts, 0),
        "alerts": alerts,
    }


def _totals(changes: Mapping[str, Any], rows: Any) -> dict[str, int]:
    return {name: int(values[rows].sum()) for name, values in changes.items()}


def censored(past: Past, outcomes: Outcomes) -> dict[str, int]:
    """Transactions that were declined live, whose label is seldom known: those that the candidate
    would let pass, and how many of them are labelled."""
    freed = past.made.payments.declined & (outcomes != _DECLINE)
    labelled = freed & (past.made.labels != UNLABELLED)
    return {
        "declined_live": int(past.made.payments.declined.sum()),
        "passed_by_candidate": int(freed.sum()),
        "of_these_labelled": int(labelled.sum()),
    }


def segments(past: Past) -> dict[str, tuple[NDArray[np.int64], list[str]]]:
    """By name (number of each transaction's segment, names); the most frequent of many."""
    fields = {"channel": "channel", "country": "country", "mcc": "mcc", "merchant": "merchant_id"}
    found = {}
    for name, each in fields.items():
        texts = past.transactions.texts[each]
        counts = np.bincount(texts.codes + 1, minlength=len(texts.values) + 1)[1:]
        # By name where they are as frequent: how values are numbered hangs on the archive.
        ranked = sorted(range(len(counts)), key=lambda n: (-counts[n], texts.values[n]))
        top = np.array(ranked[:_TOP], dtype=np.int64)
        numbers = np.full(len(texts.values) + 1, len(top), dtype=np.int64)
        numbers[top] = np.arange(len(top))
        numbers[-1] = len(top) + 1
        names = [*(texts.values[n] for n in top.tolist()), "others", "none"]
        found[name] = (numbers[texts.codes], names)
    bands = np.searchsorted(np.array(_BANDS), past.made.payments.amounts, side="right")
    edges = [0, *(band // 100 for band in _BANDS)]
    names = [f"{a:,} to {b:,}" for a, b in pairwise(edges)]
    found["amount"] = (bands, [*names, f"{edges[-1]:,} and more"])
    return found


def _by_segment(
    changes: Mapping[str, Any], numbers: NDArray[np.int64], names: list[str]
) -> dict[str, dict[str, int]]:
    sums = {
        name: np.bincount(numbers, weights=values, minlength=len(names))
        for name, values in changes.items()
    }
    return {
        segment: {name: int(values[number]) for name, values in sums.items()}
        for number, segment in enumerate(names)
        if sums["transactions"][number]
    }


def intervals(
    past: Past, base: Outcomes, made: Outcomes, changes: Mapping[str, Any]
) -> dict[str, tuple[float, float] | None]:
    """95 % intervals by a bootstrap over cards: payments of one card are no independent draws.

    Each of 400 resamples weighs a card by a Poisson number of mean 1 (Chamandy et al. 2012,
    "Estimating uncertainty for massive data streams"); more than 20,000 cards are put into as many
    groups. A fixed seed.
    """
    labels = past.made.labels
    fraud, labelled = labels == 1, labels != UNLABELLED
    rows: dict[str, Any] = {
        **{name: values for name, values in changes.items() if name != "transactions"},
        "fraud": fraud,
        **{f"{who} fraud": fraud & (o > 0) for who, o in (("base", base), ("made", made))},
        **{f"{who} flagged": labelled & (o > 0) for who, o in (("base", base), ("made", made))},
    }
    groups = groups_of(past)
    sums = np.stack(
        [
            np.bincount(groups, weights=values, minlength=groups.max() + 1)
            for values in rows.values()
        ]
    )
    draw = np.random.default_rng(SEED)
    drawn = np.stack(
        [
            sums @ np.asarray(draw.poisson(1.0, sums.shape[1]), dtype=np.float64)
            for _ in range(_RESAMPLES)
        ]
    )
    by_name = dict(zip(rows, drawn.T, strict=True))
    figures: dict[str, Floats] = {name: by_name[name] for name in changes if name != "transactions"}
    with np.errstate(invalid="ignore", divide="ignore"):
        for who, name in (("base", "baseline"), ("made", "candidate")):
            figures[f"{name}_precision"] = by_name[f"{who} fraud"] / by_name[f"{who} flagged"]
            figures[f"{name}_recall"] = by_name[f"{who} fraud"] / by_name["fraud"]
        figures["recall_difference"] = figures["candidate_recall"] - figures["baseline_recall"]
    return {name: _interval(values) for name, values in figures.items()}


def groups_of(past: Past) -> NDArray[np.int64]:
    """The card of each transaction, else its customer; one without either is its own."""
    holders = past.made.payments.holders.copy()
    nobody = np.flatnonzero(holders == 0)
    _, numbers = np.unique(holders, return_inverse=True)
    numbers = np.asarray(numbers, dtype=np.int64)
    numbers[nobody] = len(holders) + np.arange(len(nobody))
    used, numbers = np.unique(numbers, return_inverse=True)
    if len(used) <= _GROUPS:
        return numbers
    mixed = np.random.default_rng(SEED).integers(0, _GROUPS, len(used))
    grouped: NDArray[np.int64] = mixed[numbers]
    return grouped


def _interval(values: Floats) -> tuple[float, float] | None:
    if np.isnan(values).any():
        return None
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]).tolist()
    return low, high


Point = Mapping[str, Any]


def point(past: Past, made: Decisions, value: float) -> dict[str, Any]:
    """One point of a sweep: loss against the load of reviews."""
    found = quality(made.outcomes, past.made.labels, past.made.payments.amounts)
    alerts = told(past, made)
    days = int(np.ptp(past.made.times // DAY)) + 1
    asked = ("missed_fraud", "precision", "recall", "genuine_declined_money")
    return {
        "value": value,
        "alerts_per_day": int(alerts.sum()) / days,
        "cases_per_day": len(cases(past, alerts)) / days,
        "decisions_flagged": int((made.outcomes > 0).sum()),
        **{name: found[name] for name in asked},
    }


def on_frontier(points: list[dict[str, Any]]) -> list[bool]:
    """Of each point whether no other has both less missed fraud and fewer alerts, or one of them
    less and the other equal."""

    def beaten(a: Point, b: Point) -> bool:
        keys = ("missed_fraud", "alerts_per_day")
        return all(b[k] <= a[k] for k in keys) and any(b[k] < a[k] for k in keys)

    return [not any(beaten(each, other) for other in points) for each in points]
