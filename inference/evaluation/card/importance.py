"""Feature importance: how much each feature moves the scores of a model."""

from dataclasses import dataclass

import numpy as np

from inference.artefacts.store import Artefact
from inference.frame.frame import Floats, Frame
from inference.serving.explain import Explainer, explainer_of
from inference.serving.graph import as_rows

SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Importance:
    """[features] each, in logits: mean of |contribution| over `traffic` and over `frauds` rows."""

    over_traffic: Floats
    over_frauds: Floats
    traffic: int
    frauds: int


def importance(artefact: Artefact, rows: Frame) -> Importance:
    """Over up to SAMPLE rows of traffic and as many frauds, evenly in time.

    The mean of |contribution| against the typical genuine payment (inference.serving.explain), as
    Lundberg and Lee 2017 sum up Shapley values.
    """
    explainer = explainer_of(artefact)
    traffic, frauds = _evenly(np.arange(len(rows))), _evenly(np.flatnonzero(rows.labels == 1))
    over = [_mean(explainer, rows, chosen) for chosen in (traffic, frauds)]
    return Importance(over[0], over[1], len(traffic), len(frauds))


def _mean(explainer: Explainer, rows: Frame, chosen: np.ndarray) -> Floats:
    total = np.zeros(rows.vectors.shape[1])
    for row in as_rows(rows.vectors[chosen]):
        total += np.abs(explainer.contributions(row[np.newaxis]).astype(np.float64))
    return total / max(len(chosen), 1)


def _evenly(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= SAMPLE:
        return rows
    chosen: np.ndarray = rows[np.linspace(0, len(rows) - 1, SAMPLE).round().astype(int)]
    return chosen
