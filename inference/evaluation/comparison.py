"""Owns the comparison of a champion and a challenger on what both have scored; asks no store.

A maturity m stands for the payments that are m old by now, each with its label as known m after
it; `as known` for all of them, with the last label known now. Declined payments are censored:
hardly anybody complains of a payment that was not made. They are counted and marked, and left out
of the ranking; recall and precision of declines take those that were labelled all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.features.payments import MATURITIES, UNLABELLED
from domain.policy import SEVERITY
from domain.times import DAY, to_rfc3339
from inference.evaluation.metrics import auc, average_precision
from inference.frame.frame import Floats, Ints

_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Side:
    """One model's part: `scores` [n], `outcomes` [n] by severity, `decided` [n] where it did."""

    scores: Floats
    outcomes: Ints
    decided: NDArray[np.bool_]

    @property
    def declines(self) -> NDArray[np.bool_]:
        return np.equal(self.outcomes, len(SEVERITY) - 1)


@dataclass(frozen=True, slots=True)
class Both:
    """Transactions scored by both, one item each; times in microseconds UTC.

    `labels` [n, 1 + MATURITIES]: as known at `now`, then as known that long after the payment;
    1, 0 or UNLABELLED.
    """

    transaction_ids: list[str]
    times: Ints
    champion: Side
    challenger: Side
    declined: NDArray[np.bool_]
    labels: Ints
    now: int

    def __len__(self) -> int:
        return len(self.transaction_ids)


def compared(both: Both) -> dict[str, Any]:
    """The report, as JSON would have it; a measure is None where there is too little for it."""
    return {
        "transactions": len(both),
        "decided_by_champion": int(both.champion.decided.sum()),
        "decided_by_challenger": int(both.challenger.decided.sum()),
        "declined": int(both.declined.sum()),
        "agreement": _agreement(both),
        "switches": _switches(both),
        "by_maturity": {
            "as known": _measures(both, np.ones(len(both), dtype=np.bool_), both.labels[:, 0])
        }
        | {
            f"{delay // DAY}d": _measures(
                both, both.times <= both.now - delay, both.labels[:, number]
            )
            for number, delay in enumerate(MATURITIES, start=1)
        },
        "disagreements": _disagreements(both),
    }


def _agreement(both: Both) -> dict[str, float | None]:
    if not len(both):
        return {"same_outcome": None, "mean_difference": None, "greatest_difference": None}
    apart = np.abs(both.champion.scores - both.challenger.scores)
    same = both.champion.outcomes == both.challenger.outcomes
    return {
        "same_outcome": float(same.mean()),
        "mean_difference": float(apart.mean()),
        "greatest_difference": float(apart.max()),
    }


def _switches(both: Both) -> dict[str, dict[str, int]]:
    """By the champion's outcome, then by the challenger's, how many."""
    table = np.zeros((len(SEVERITY), len(SEVERITY)), dtype=np.int64)
    np.add.at(table, (both.champion.outcomes, both.challenger.outcomes), 1)
    return {
        mine: dict(zip(SEVERITY, row, strict=True))
        for mine, row in zip(SEVERITY, table.tolist(), strict=True)
    }


def _measures(both: Both, old_enough: NDArray[np.bool_], labels: Ints) -> dict[str, Any]:
    known = old_enough & (labels != UNLABELLED)
    return {
        "payments": int(old_enough.sum()),
        "frauds": int((labels[known] == 1).sum()),
        "genuine": int((labels[known] == 0).sum()),
        "censored": int((old_enough & both.declined).sum()),
        "censored_labelled": int((known & both.declined).sum()),
        "champion": _of_side(both.champion, known, known & ~both.declined, labels),
        "challenger": _of_side(both.challenger, known, known & ~both.declined, labels),
    }


def _of_side(
    side: Side, known: NDArray[np.bool_], ranked: NDArray[np.bool_], labels: Ints
) -> dict[str, float | None]:
    told = labels[ranked].astype(np.float64)
    both_kinds = 0 < told.sum() < len(told)
    fraud, declines = labels[known] == 1, side.declines[known]
    return {
        "auc": auc(told, side.scores[ranked]) if both_kinds else None,
        "average_precision": average_precision(told, side.scores[ranked]) if both_kinds else None,
        "recall_of_declines": float(declines[fraud].mean()) if fraud.any() else None,
        "precision_of_declines": float(fraud[declines].mean()) if declines.any() else None,
    }


def _disagreements(both: Both) -> list[dict[str, Any]]:
    """The transactions of which the two think most differently."""
    apart = np.abs(both.champion.scores - both.challenger.scores)
    order = np.lexsort((np.array(both.transaction_ids), -apart))[:_EXAMPLES]
    return [
        {
            "transaction_id": both.transaction_ids[row],
            "timestamp": to_rfc3339(int(both.times[row])),
            "champion": _said(both.champion, row),
            "challenger": _said(both.challenger, row),
            "label": None if both.labels[row, 0] == UNLABELLED else int(both.labels[row, 0]),
            "declined": bool(both.declined[row]),
        }
        for row in order.tolist()
        if apart[row] > 0
    ]


def _said(side: Side, row: int) -> dict[str, Any]:
    return {"score": float(side.scores[row]), "outcome": SEVERITY[int(side.outcomes[row])]}
