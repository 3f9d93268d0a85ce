"""Average precision and AUC as functions of sums, so that resamples cost no sort each.

Both need only the payments at and above each score of a fraud. Their formulas are in
inference/evaluation/metrics.py.
"""

from dataclasses import dataclass

import numpy as np

from inference.evaluation.gate.resampling import Sums, total
from inference.frame.frame import Floats, Frame, Ints, Vectors

_SAMPLE = 20_000  # genuine payments


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled payments [n], 1 fraud and 0 genuine, and how many of traffic each stands for."""

    labels: Floats
    weights: Floats

    @property
    def fraud(self) -> Floats:
        return self.labels * self.weights

    @property
    def genuine(self) -> Floats:
        return (1 - self.labels) * self.weights

    @property
    def frauds(self) -> int:
        return int(self.labels.sum())


def labelled_rows(frame: Frame) -> tuple[Ints, Labelled]:
    """Those old enough for their labels (Frame.row_weights), by number."""
    weights = frame.row_weights()
    rows = np.flatnonzero(weights > 0)
    return rows, Labelled(frame.labels[rows], weights[rows])


def ranking_sums(about: Labelled, scores: Floats) -> list[Sums]:
    """Of `scores` [n]: fraud, genuine and genuine of an equal score per score of a fraud, from the
    greatest on, and genuine in all."""
    levels = -np.unique(-scores[about.labels == 1])
    places = np.searchsorted(-levels, -scores, side="left")
    tied = np.append(levels, np.nan)[places] == scores
    return [
        Sums(places, about.fraud, len(levels)),
        Sums(places, about.genuine, len(levels)),
        Sums(places, about.genuine * tied, len(levels)),
        total(about.genuine),
    ]


def average_precision(sums: list[Floats]) -> Floats:
    """[resamples], of `ranking_sums` [count, resamples]."""
    fraud, genuine = sums[0], sums[1]
    found = np.cumsum(fraud, axis=0)
    precision = found / (found + np.cumsum(genuine, axis=0))
    measured: Floats = (precision * fraud).sum(axis=0) / found[-1]
    return measured


def auc(sums: list[Floats]) -> Floats:
    """[resamples], of `ranking_sums` [count, resamples]."""
    fraud, genuine, tied, every = sums
    below = every - np.cumsum(genuine, axis=0) + tied / 2
    measured: Floats = (fraud * below).sum(axis=0) / (fraud.sum(axis=0) * every[0])
    return measured


def best_feature(about: Labelled, vectors: Vectors) -> tuple[int, bool]:
    """(number, True where its greatest values come first) of the column of `vectors` [n, d] that
    has the greatest average precision alone; unknown values come last.

    Looked for among all frauds and an even sample of the genuine payments.
    """
    fraud, genuine = (np.flatnonzero(about.labels == label) for label in (1, 0))
    some = genuine[np.linspace(0, len(genuine) - 1, min(len(genuine), _SAMPLE)).astype(np.int64)]
    rows = np.concatenate([fraud, some])
    weights = about.weights[rows]
    weights[len(fraud) :] *= about.genuine.sum() / about.weights[some].sum()
    sample = Labelled(about.labels[rows], weights)
    found = [
        (_ranked(sample, in_order(vectors[rows, number], greatest)), number, greatest)
        for number in range(vectors.shape[1])
        for greatest in (True, False)
    ]
    _, number, greatest = max(found, key=lambda each: each[0])
    return number, greatest


def in_order(column: Vectors, greatest: bool) -> Floats:
    """A column as scores: its greatest or its least values first, unknown ones last."""
    values = np.asarray(column, dtype=np.float64)
    return np.where(np.isnan(values), -np.inf, values if greatest else -values)


def _ranked(about: Labelled, scores: Floats) -> float:
    sums: list[Floats] = []
    for each in ranking_sums(about, scores)[:2]:
        added = np.bincount(each.places, each.values, each.count + 1).astype(np.float64)
        sums.append(added[: each.count, np.newaxis])
    return float(average_precision(sums)[0])
