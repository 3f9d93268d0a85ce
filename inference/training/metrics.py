"""Owns the measures of a ranking, weighted, in numpy; thresholds are thresholds.py's."""

from __future__ import annotations

import numpy as np

from inference.training.frame import Floats


def auc(labels: Floats, scores: Floats, weights: Floats | None = None) -> float:
    """Area under the ROC curve: P(fraud scores above genuine) + half of P(equal)."""
    fraud, genuine = _steps(labels, scores, weights)
    above = np.cumsum(fraud) - fraud
    return float((genuine * (above + fraud / 2)).sum() / (fraud.sum() * genuine.sum()))


def average_precision(labels: Floats, scores: Floats, weights: Floats | None = None) -> float:
    """Sum over distinct scores, from the greatest, of precision times the gain in recall."""
    fraud, genuine = _steps(labels, scores, weights)
    found = np.cumsum(fraud)
    precision = found / (found + np.cumsum(genuine))
    return float((precision * fraud).sum() / fraud.sum())


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


def _steps(labels: Floats, scores: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Weight of fraud and of genuine at each distinct score, from the greatest on."""
    weight = np.ones(len(labels)) if weights is None else weights
    distinct, step = np.unique(-scores, return_inverse=True)
    fraud, genuine = np.zeros(len(distinct)), np.zeros(len(distinct))
    np.add.at(fraud, step, weight * (labels == 1))
    np.add.at(genuine, step, weight * (labels == 0))
    return fraud, genuine
