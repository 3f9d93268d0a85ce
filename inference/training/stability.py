"""Stability of a model: its measures over weeks and seeds, and the worth of groups of features.

Features that say nearly the same are judged together: left out alone, each of them costs nothing,
and a choice that went by that would leave out all.
"""

from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from domain.times import to_rfc3339
from inference.evaluation.metrics import auc, average_precision
from inference.frame.frame import LEAST_OF_EACH, WEEK, Floats, Frame, Ints
from inference.serving.forest.forest import Forest
from inference.serving.graph import as_rows

_ALIKE = 0.7  # mean rank correlation within a group
_RANKED = 5_000  # rows that correlations are taken from
_GENUINE, _FRAUDS = 8_000, 2_000  # rows that the worth of groups is measured on
_UNKNOWN = -3.0e38


def ranks(later: Frame, logits: Floats) -> dict[str, float]:
    """AUC and average precision of `logits` [n] on the labelled rows."""
    rows = ~np.isnan(later.labels)
    about = later.labels[rows], logits[rows], later.row_weights()[rows]
    return {"auc": auc(*about), "average_precision": average_precision(*about)}


def by_week(later: Frame, logits: Floats) -> list[dict[str, Any]]:
    """The measures of each week before the last label, the oldest first; of those alone that have
    enough labels of both kinds."""
    ripe = later.ripe
    times = later.times[ripe]
    found = []
    for end in range(int(times[-1]) + 1, int(times[0]), -WEEK):
        week = (later.times >= end - WEEK) & (later.times < end)
        week[ripe.stop :] = False
        part = later.take(week)
        if min(part.frauds, part.genuine) >= LEAST_OF_EACH:
            begin = to_rfc3339(int(part.times[0]))
            found.append({"from": begin, "frauds": part.frauds, **ranks(part, logits[week])})
    return found[::-1]


def worth_of_groups(
    forest: Forest, earlier: Frame, later: Frame, random: np.random.Generator
) -> list[dict[str, Any]]:
    """By how much average precision on `later` falls when a group's values come from other rows.

    Permutation importance (Breiman 2001, Random Forests, section 10) of whole groups; the most
    worth first.
    """
    rows, weights = _measured(later, random)
    labels, vectors = later.labels[rows], as_rows(later.vectors[rows])
    # As often as traffic has them: frauds are many more among these rows.
    others = random.choice(len(rows), size=len(rows), p=weights / weights.sum())
    whole = average_precision(labels, forest.logits(vectors), weights)
    found = []
    for group in groups(earlier, random):
        kept = vectors[:, group].copy()
        vectors[:, group] = kept[others]
        without = average_precision(labels, forest.logits(vectors), weights)
        vectors[:, group] = kept
        names = [later.names[number] for number in group.tolist()]
        found.append({"features": names, "average_precision": whole - without})
    return sorted(found, key=lambda each: -each["average_precision"])


def groups(frame: Frame, random: np.random.Generator) -> list[Ints]:
    """Numbers of the features in groups of high rank correlation, by average linkage."""
    if len(frame.names) == 1:
        return [np.array([0], dtype=np.int64)]
    rows = np.sort(random.permutation(len(frame))[:_RANKED])
    values = np.nan_to_num(as_rows(frame.vectors[rows]), nan=_UNKNOWN)
    with np.errstate(invalid="ignore"):
        alike = np.abs(np.nan_to_num(np.corrcoef(rankdata(values, axis=0), rowvar=False)))
    np.fill_diagonal(alike, 1.0)
    apart = squareform(1 - np.minimum((alike + alike.T) / 2, 1.0), checks=False)
    number = fcluster(linkage(apart, "average"), 1 - _ALIKE, "distance")
    return [np.flatnonzero(number == each).astype(np.int64) for each in np.unique(number)]


def _measured(later: Frame, random: np.random.Generator) -> tuple[Ints, Floats]:
    """Some rows of each label, of those old enough to weigh anything, and what each weighs."""
    every = later.row_weights()
    parts, weights = [], []
    for value, most in ((1, _FRAUDS), (0, _GENUINE)):
        rows = np.flatnonzero((later.labels == value) & (every > 0))
        taken = np.sort(random.permutation(rows)[:most])
        parts.append(taken)
        weights.append(every[taken] * len(rows) / len(taken))
    return np.concatenate(parts), np.concatenate(weights)
