"""Champion and challenger, compared on the payments that both have scored.

A maturity m takes the payments that are m old by now, each with its label as known m after it;
`as known` takes all, with the last label known now. Declined payments are censored: hardly anybody
reports a payment that was not made. They are counted, and left out of the ranking; recall and
precision of declines use those that were labelled nevertheless.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.features.payments import MATURITIES, UNLABELLED
from domain.policy.thresholds import SEVERITY
from domain.times import DAY, to_rfc3339
from inference.evaluation.metrics import auc, average_precision
from inference.frame.frame import Floats, Ints

_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class ModelScores:
    """One model's part: `scores` [n], `outcomes` [n] by severity, `decided` [n] where it did."""

    scores: Floats
    outcomes: Ints
    decided: NDArray[np.bool_]

    @property
    def declines(self) -> NDArray[np.bool_]:
        return np.equal(self.outcomes, len(SEVERITY) - 1)


@dataclass(frozen=True, slots=True)
class PairedScores:
    """Transactions scored by both, one item each; times in microseconds UTC.

    `labels` [n, 1 + MATURITIES]: as known at `now`, then as known that long after the payment;
    1, 0 or UNLABELLED.
    """

    transaction_ids: list[str]
    times: Ints
    champion: ModelScores
    challenger: ModelScores
    declined: NDArray[np.bool_]
    labels: Ints
    now: int

    def __len__(self) -> int:
        return len(self.transaction_ids)


def comparison(pairs: PairedScores) -> dict[str, Any]:
    """The report, as JSON would have it; a measure is None where there is too little for it."""
    return {
        "transactions": len(pairs),
        "decided_by_champion": int(pairs.champion.decided.sum()),
        "decided_by_challenger": int(pairs.challenger.decided.sum()),
        "declined": int(pairs.declined.sum()),
        "agreement": _agreement(pairs),
        "switches": _switches(pairs),
        "by_maturity": {
            "as known": _measures(pairs, np.ones(len(pairs), dtype=np.bool_), pairs.labels[:, 0])
        }
        | {
            f"{delay // DAY}d": _measures(
                pairs, pairs.times <= pairs.now - delay, pairs.labels[:, number]
            )
            for number, delay in enumerate(MATURITIES, start=1)
        },
        "disagreements": _disagreements(pairs),
    }


def _agreement(pairs: PairedScores) -> dict[str, float | None]:
    if not len(pairs):
        return {"same_outcome": None, "mean_difference": None, "greatest_difference": None}
    apart = np.abs(pairs.champion.scores - pairs.challenger.scores)
    same = pairs.champion.outcomes == pairs.challenger.outcomes
    return {
        "same_outcome": float(same.mean()),
        "mean_difference": float(apart.mean()),
        "greatest_difference": float(apart.max()),
    }


def _switches(pairs: PairedScores) -> dict[str, dict[str, int]]:
    """By the champion's outcome, then by the challenger's, how many."""
    table = np.zeros((len(SEVERITY), len(SEVERITY)), dtype=np.int64)
    np.add.at(table, (pairs.champion.outcomes, pairs.challenger.outcomes), 1)
    return {
        mine: dict(zip(SEVERITY, row, strict=True))
        for mine, row in zip(SEVERITY, table.tolist(), strict=True)
    }


def _measures(pairs: PairedScores, old_enough: NDArray[np.bool_], labels: Ints) -> dict[str, Any]:
    known = old_enough & (labels != UNLABELLED)
    return {
        "payments": int(old_enough.sum()),
        "frauds": int((labels[known] == 1).sum()),
        "genuine": int((labels[known] == 0).sum()),
        "censored": int((old_enough & pairs.declined).sum()),
        "censored_labelled": int((known & pairs.declined).sum()),
        "champion": _of_model(pairs.champion, known, known & ~pairs.declined, labels),
        "challenger": _of_model(pairs.challenger, known, known & ~pairs.declined, labels),
    }


def _of_model(
    side: ModelScores, known: NDArray[np.bool_], ranked: NDArray[np.bool_], labels: Ints
) -> dict[str, float | None]:
    truth, scores = labels[ranked].astype(np.float64), side.scores[ranked]
    both_kinds = 0 < truth.sum() < len(truth)
    fraud, declines = labels[known] == 1, side.declines[known]
    return {
        "auc": auc(truth, scores) if both_kinds else None,
        "average_precision": average_precision(truth, scores) if both_kinds else None,
        "recall_of_declines": float(declines[fraud].mean()) if fraud.any() else None,
        "precision_of_declines": float(fraud[declines].mean()) if declines.any() else None,
    }


def _disagreements(pairs: PairedScores) -> list[dict[str, Any]]:
    """The transactions whose scores differ most."""
    apart = np.abs(pairs.champion.scores - pairs.challenger.scores)
    order = np.lexsort((np.array(pairs.transaction_ids), -apart))[:_EXAMPLES]
    return [
        {
            "transaction_id": pairs.transaction_ids[row],
            "timestamp": to_rfc3339(int(pairs.times[row])),
            "champion": _score_of(pairs.champion, row),
            "challenger": _score_of(pairs.challenger, row),
            "label": None if pairs.labels[row, 0] == UNLABELLED else int(pairs.labels[row, 0]),
            "declined": bool(pairs.declined[row]),
        }
        for row in order.tolist()
        if apart[row] > 0
    ]


def _score_of(side: ModelScores, row: int) -> dict[str, Any]:
    return {"score": float(side.scores[row]), "outcome": SEVERITY[int(side.outcomes[row])]}
