"""Measures of a new model and of the one in force on the same payments, with intervals."""

from dataclasses import dataclass, field

import numpy as np

from domain.events import Thresholds
from inference.evaluation.costs import Costs, cost_of_each
from inference.evaluation.gate.ranking import (
    Labelled,
    auc,
    average_precision,
    labelled_rows,
    ranking_sums,
)
from inference.evaluation.gate.resampling import (
    Interval,
    Sums,
    interval,
    resampled,
    total,
    units_of,
)
from inference.evaluation.measures import matured_parts
from inference.frame.frame import Floats, Frame, Ints

_LEAST_EXPECTED = 1e-9  # frauds

Measures = dict[str, Interval]
"""`average_precision`, `auc`, `brier`, `calibration` (frauds observed over expected), and where
amounts are known `cost`, a share of what fraud would cost without a model."""


@dataclass(frozen=True, slots=True)
class Scored:
    """`scores` [n] in [0, 1] of the rows of a frame, and the thresholds that go with them."""

    scores: Floats
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Compared:
    """At one maturity of labels. `difference` is new less in force; empty without that model."""

    payments: int
    frauds: int
    new: Measures
    in_force: Measures = field(default_factory=dict)
    difference: Measures = field(default_factory=dict)

    @property
    def genuine(self) -> int:
        return self.payments - self.frauds


def compared(frame: Frame, models: list[Scored], costs: Costs, least: int) -> dict[str, Compared]:
    """By maturity of labels (inference/evaluation/measures.py), as far as `least` of both kinds
    are there. `models` are the new one and, where there is one to compare with, that in force."""
    found = {}
    for name, part, taken, _ in matured_parts(frame):
        rows, about = labelled_rows(part)
        if min(about.frauds, len(rows) - about.frauds) < least:
            continue
        amounts = part.payments.amounts[rows] if part.payments is not None else None
        sums = [
            _sums(about, Scored(each.scores[taken][rows], each.thresholds), amounts, costs)
            for each in models
        ]
        drawn = resampled(units_of(part)[rows], [each for model in sums for each in model])
        each_has = len(sums[0])
        measured = [
            _measures(drawn[begin : begin + each_has]) for begin in range(0, len(drawn), each_has)
        ]
        found[name] = _compared(len(rows), about.frauds, measured)
    return found


def _compared(payments: int, frauds: int, measured: list[dict[str, Floats]]) -> Compared:
    sides = [{name: interval(each) for name, each in side.items()} for side in measured]
    if len(sides) == 1:
        return Compared(payments, frauds, sides[0])
    new, old = measured
    difference = {name: interval(new[name] - old[name]) for name in new}
    return Compared(payments, frauds, sides[0], sides[1], difference)


def _sums(about: Labelled, scored: Scored, amounts: Ints | None, costs: Costs) -> list[Sums]:
    scores, weights = scored.scores, about.weights
    sums = [
        *ranking_sums(about, scores),
        total(weights * (scores - about.labels) ** 2),
        total(weights),
        total(about.fraud),
        total(weights * scores),
    ]
    if amounts is None:
        return sums
    spent = cost_of_each(about.labels, scores, amounts, scored.thresholds, costs)
    return [*sums, total(weights * spent), total(about.fraud * amounts * costs.missed_fraud)]


def _measures(drawn: list[Floats]) -> dict[str, Floats]:
    squares, weights, observed, expected, *money = (each[0] for each in drawn[4:])
    found = {
        "average_precision": average_precision(drawn[:4]),
        "auc": auc(drawn[:4]),
        "brier": squares / weights,
        "calibration": observed / np.maximum(expected, _LEAST_EXPECTED),
    }
    if money and money[1][0]:
        found["cost"] = money[0] / money[1]
    return found
