"""Metrics of scores: ranking, precision and recall, calibration, and frauds found per day.

Metrics by the maturity of labels are in measures.py. scikit-learn is imported inside functions: it
takes a second, for which no command that measures nothing should wait.
"""

import numpy as np

from domain.times import DAY
from inference.frame.frame import Floats, Ints


def auc(labels: Floats, scores: Floats, weights: Floats | None = None) -> float:
    """Area under the ROC curve: P(fraud scores above genuine) + half of P(equal).

    Hanley and McNeil 1982.
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores, sample_weight=weights))


def average_precision(labels: Floats, scores: Floats, weights: Floats | None = None) -> float:
    """Sum over distinct scores, from the greatest, of precision times the gain in recall.

    Without interpolation, which would flatter (Davis and Goadrich 2006).
    """
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(labels, scores, sample_weight=weights))


def recall_at(labels: Floats, scores: Floats, threshold: float) -> float:
    """Share of frauds whose score reaches the threshold."""
    return float((scores[labels == 1] >= threshold).mean())


def precision_at(
    labels: Floats, scores: Floats, threshold: float, weights: Floats | None = None
) -> float:
    """Share of what reaches the threshold that is fraud; 0 where nothing does."""
    weight = np.ones(len(labels)) if weights is None else weights
    reached = np.where(scores >= threshold, weight, 0.0)
    total = reached.sum()
    return float((reached * labels).sum() / total) if total else 0.0


def brier(labels: Floats, scores: Floats, weights: Floats | None = None) -> float:
    """Mean squared distance of the score, in [0, 1], from the label (Brier 1950); 0 is best."""
    from sklearn.metrics import brier_score_loss

    return float(brier_score_loss(labels, scores, sample_weight=weights))


def recall_within(labels: Floats, scores: Floats, stands_for: Floats, budget: float) -> float:
    """Share of frauds among the greatest scores that make up at most `budget` of all traffic.

    All rows take part, labelled or not: people review traffic. Equal scores go in together or not
    at all. NaN where there is no fraud.
    """
    fraud = np.where(labels == 1, stands_for, 0.0)
    if not fraud.any():
        return float("nan")
    distinct, place = np.unique(-scores, return_inverse=True)
    traffic = np.cumsum(np.bincount(place, stands_for, len(distinct)))
    fitting = traffic <= budget * traffic[-1] * (1 + 1e-12)
    return float(np.bincount(place, fraud, len(distinct))[fitting].sum() / fraud.sum())


def card_precision(labels: Floats, scores: Floats, holders: Ints, times: Ints, most: int) -> float:
    """Mean over days (UTC) of the share of the `most` cards of greatest score that had a fraud.

    A card scores as its greatest payment of the day, counts as fraud with one fraud that day, and
    leaves once it was found: Card Precision top-k of the Fraud Detection Handbook (Le Borgne et al.
    2022, "Performance metrics", precision top-k); no library has it. Ties go to the smaller holder.
    Rows without a holder (0) are left out; NaN where no day has any.
    """
    named = holders != 0
    found = np.array([], dtype=np.int64)
    shares = []
    days = times // DAY
    for day in np.unique(days[named]):
        rows = np.flatnonzero(named & (days == day))
        cards, place = np.unique(holders[rows], return_inverse=True)
        best, fraud = np.full(len(cards), -np.inf), np.zeros(len(cards), dtype=bool)
        np.maximum.at(best, place, scores[rows])
        np.logical_or.at(fraud, place, labels[rows] == 1)
        left = np.flatnonzero(~np.isin(cards, found))
        top = left[np.argsort(-best[left], kind="stable")[:most]]
        hit = cards[top[fraud[top]]]
        found = np.concatenate([found, hit])
        shares.append(len(hit) / most)
    return float(np.mean(shares)) if shares else float("nan")
