"""Metrics of a model by the maturity of labels. Their formulas are in metrics.py.

A maturity m takes the payments that are m old at the moment of the frame, each with its label as
known m after it: later labels would flatter, and of younger payments frauds are not yet reported.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.features.payments import MATURITIES, UNLABELLED
from domain.times import DAY
from inference.evaluation.costs import Costs, money
from inference.evaluation.metrics import (
    auc,
    average_precision,
    brier,
    card_precision,
    precision_at,
    recall_at,
    recall_within,
)
from inference.frame.frame import Bools, Floats, Frame

AS_KNOWN = "as known"


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """`cards` are the k of card precision@k, `budgets` shares of traffic that can be reviewed."""

    cards: tuple[int, ...] = (100,)
    budgets: tuple[float, ...] = (0.001, 0.005, 0.01, 0.02)
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        if min(self.cards, default=1) < 1:
            raise InvalidInputError("cards", f"expected 1 or more, not {self.cards}")
        if any(not 0 < budget <= 1 for budget in self.budgets):
            raise InvalidInputError("budgets", f"expected shares in (0, 1], not {self.budgets}")


@dataclass(frozen=True, slots=True)
class Validated:
    """The later rows, on which nothing was fitted, and their calibrated `scores` [n] in [0, 1]."""

    frame: Frame
    scores: Floats


def by_maturity(
    frame: Frame, scores: Floats, thresholds: Thresholds, chosen: MeasureSettings
) -> dict[str, dict[str, Any]]:
    """Measures of `scores` [n] at each of MATURITIES, and with all labels of the frame.

    A measure is None where it has too few labels. Declined payments are censored where
    decisions are known: nobody reports a payment that was not made. They are counted and left out.
    """
    return {
        name: measures(part, scores[rows], thresholds, chosen) | {"censored": censored}
        for name, part, rows, censored in matured_parts(frame)
    }


def measures(
    frame: Frame, scores: Floats, thresholds: Thresholds, chosen: MeasureSettings
) -> dict[str, Any]:
    """Of all rows of the frame; confirmed genuine ones stand for the traffic (row_weights)."""
    measured: dict[str, Any] = {
        "payments": len(frame),
        "frauds": frame.frauds,
        "genuine": frame.genuine,
    }
    if frame.frauds and frame.genuine:
        measured |= ranking(frame, scores, thresholds) | {
            "recall_within_budget": {
                f"{budget:g}": recall_within(frame.labels, scores, frame.stands_for, budget)
                for budget in chosen.budgets
            },
            "card_precision": _cards(frame, scores, chosen),
            "money": _money(frame, scores, thresholds, chosen.costs),
        }
    return measured


def ranking(frame: Frame, scores: Floats, thresholds: Thresholds) -> dict[str, float]:
    """On labelled rows, the genuine ones weighted to stand for all traffic."""
    rows = ~np.isnan(frame.labels)
    labels, scored, weights = frame.labels[rows], scores[rows], frame.row_weights()[rows]
    return {
        "auc": auc(labels, scored, weights),
        "average_precision": average_precision(labels, scored, weights),
        "brier": brier(labels, scored, weights),
        "recall_declined": recall_at(labels, scored, thresholds.decline),
        "recall_reviewed": recall_at(labels, scored, thresholds.review),
        "precision_declined": precision_at(labels, scored, thresholds.decline, weights),
        "precision_reviewed": precision_at(labels, scored, thresholds.review, weights),
    }


def _cards(frame: Frame, scores: Floats, chosen: MeasureSettings) -> dict[str, float | None]:
    """On days whose payments were looked at (Frame.looked_at). None where cards are not known, or
    rows are a sample, in which a day's cards are not."""
    if frame.payments is None or (frame.stands_for != 1).any():
        return {str(most): None for most in chosen.cards}
    rows = frame.looked_at
    about = (frame.labels[rows], scores[rows], frame.payments.holders[rows], frame.times[rows])
    found = {most: card_precision(*about, most) for most in chosen.cards}
    return {str(most): None if math.isnan(share) else share for most, share in found.items()}


def _money(
    frame: Frame, scores: Floats, thresholds: Thresholds, costs: Costs
) -> dict[str, float | None] | None:
    if frame.payments is None:
        return None
    rows = ~np.isnan(frame.labels)
    made = money(
        frame.labels[rows],
        scores[rows],
        frame.payments.amounts[rows],
        frame.row_weights()[rows],
        thresholds,
        costs,
    )
    return {**asdict(made), "saved": made.saved, "saved_share": made.saved_share}


def matured_parts(frame: Frame) -> Iterator[tuple[str, Frame, Bools, int]]:
    """(name, the rows that take part with their labels as of then, which they are of the frame's,
    how many more were declined): with all labels, then at each of MATURITIES."""
    about = frame.payments
    if about is None:
        yield AS_KNOWN, frame, np.ones(len(frame), dtype=np.bool_), 0
        return
    kept = ~about.declined
    yield AS_KNOWN, frame.take(kept), kept, int(about.declined.sum())
    for number, maturity in enumerate(MATURITIES):
        old_enough = frame.times + maturity <= frame.as_known_at
        rows, then = kept & old_enough, about.matured[:, number]
        labels = np.where(then == UNLABELLED, np.nan, then.astype(np.float64))
        part = replace(frame.take(rows), labels=labels[rows])
        censored = int((about.declined & old_enough).sum())
        yield f"{maturity // DAY} days", part, rows, censored
