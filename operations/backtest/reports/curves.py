"""Curves of a backtest: what a report draws, as plain values.

Labels are those known at the moment of the backtest; money is in minor units of the base currency;
days and hours are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from domain.features.payments import UNLABELLED
from domain.policy.suppressions import ALERTING
from domain.policy.thresholds import SEVERITY
from domain.times import DAY, to_rfc3339
from inference.evaluation.card.calibration import calibration_table
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.past import Floats, Ints, Past

HOUR = DAY // 24
_MOST_POINTS = 200
_ALERTING = [SEVERITY.index(each) for each in ALERTING]
_THURSDAY = 3  # the first day of 1970, where Monday is 0


def curves_of(past: Past, made: Sequence[Decisions]) -> dict[str, Any]:
    """Of the baseline and each candidate, in the order of `made`."""
    labelled = past.made.labels != UNLABELLED
    labels = past.made.labels[labelled].astype(np.float64)
    told = len(np.unique(labels)) == 2
    return {
        "scores": [
            {
                "policies": names,
                "precision_recall": precision_recall(labels, scores[labelled]) if told else [],
                "calibration": calibration_table(
                    labels, scores[labelled], np.ones(len(labels))
                ) if len(labels) else [],
            }
            for names, scores in _distinct(made)
        ],
        "by_day": _by_day(past, made),
        "alerts_by_hour": [
            {"policy": each.name, "alerts": alerts_by_hour(past.made.times, each.outcomes)}
            for each in made
        ],
    }  # fmt: skip


def _distinct(made: Sequence[Decisions]) -> list[tuple[list[str], Floats]]:
    """Policies whose scores are the same share a curve."""
    found: list[tuple[list[str], Floats]] = []
    for each in made:
        for names, scores in found:
            if np.array_equal(scores, each.scores):
                names.append(each.name)
                break
        else:
            found.append(([each.name], each.scores))
    return found


def precision_recall(labels: Floats, scores: Floats) -> list[dict[str, float]]:
    """At up to 200 scores from the greatest down: share of frauds that reach it (recall), and of
    what reaches it that is fraud (precision). `labels` [n] have both 1 and 0."""
    order = np.argsort(-scores, kind="stable")
    fraud = np.cumsum(labels[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of equal scores
    recall, precision = fraud[last] / fraud[-1], fraud[last] / (last + 1)
    # Evenly along the curve's recall: most scores are near nothing, where nothing happens.
    wanted = np.searchsorted(recall, np.linspace(0.0, 1.0, _MOST_POINTS))
    points = np.unique(np.clip([0, *wanted, len(last) - 1], 0, len(last) - 1)).tolist()
    return [
        {
            "score": float(scores[order[last[n]]]),
            "recall": float(recall[n]),
            "precision": float(precision[n]),
        }
        for n in points
    ]


def _by_day(past: Past, made: Sequence[Decisions]) -> dict[str, Any]:
    days = past.made.times // DAY
    first, count = int(days.min()), int(np.ptp(days)) + 1
    fraud, amounts = past.made.labels == 1, past.made.payments.amounts

    def sums(rows: Any) -> list[int]:
        found = np.bincount(days[rows] - first, weights=amounts[rows], minlength=count)
        return [int(each) for each in found]

    return {
        "days": [to_rfc3339((first + n) * DAY)[:10] for n in range(count)],
        "policies": [
            {
                "policy": each.name,
                "caught_fraud": sums(fraud & (each.outcomes > 0)),
                "missed_fraud": sums(fraud & (each.outcomes == 0)),
            }
            for each in made
        ],
    }


def alerts_by_hour(times: Ints, outcomes: Any) -> list[list[int]]:
    """[7][24] alerts by day of the week, Monday first, and hour; `times` in microseconds UTC."""
    alerting = times[np.isin(outcomes, _ALERTING)]
    day = (alerting // DAY + _THURSDAY) % 7
    cells = np.bincount(day * 24 + alerting % DAY // HOUR, minlength=7 * 24)
    found: list[list[int]] = cells.reshape(7, 24).tolist()
    return found
