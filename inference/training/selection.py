"""Feature selection by permutation importance on rows that were not learnt from.

An uninformative feature is not harmless: the network fits its noise, and ranks worse where the few
true signs are weak.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from domain.errors import InvalidInputError
from inference.frame.frame import Floats, Frame, Ints, split_by_time, varying
from inference.frame.progress import Progress
from inference.serving.graph import as_rows
from inference.training.fitting.fit import SELECTION, FitSettings, Run, fit_for, network_for
from inference.training.fitting.loop import logits_of

EPOCHS = 6
_GENUINE_AT_ONCE = 100_000  # of an epoch: enough to tell signs from noise
_GENUINE = 12_000  # rows that importance is measured on, with all frauds
_FRAUDS = 200  # with fewer, selection would be chance, and all features are kept
_ERRORS = 2.0  # standard errors by which the loss must rise: one lets a sixth of the noise through


def taken_features(
    frame: Frame, seed: int, chosen: FitSettings, progress: Progress, run: Run
) -> Ints:
    """Numbers of the features that a model of `frame` takes, from its earlier part alone.

    Raises InvalidInputError where none varies, or there are too few labels to split.
    """
    varied = varying(frame)
    earlier, _ = split_by_time(frame.of(varied))
    taken: Ints = varied[informative(earlier, seed, chosen, progress, run)]
    return taken


def informative(frame: Frame, seed: int, chosen: FitSettings, progress: Progress, run: Run) -> Ints:
    """Numbers of the features to take; all of them where there are too few labels.

    A network learns from the earlier rows of `frame`. A feature's importance is by how much its
    logarithmic loss on the later ones rises when the feature's values are drawn from other rows
    (permutation importance: Breiman 2001, Random Forests, section 10).
    """
    every = np.arange(len(frame.names))
    try:
        earlier, later = split_by_time(frame)
    except InvalidInputError:
        return every
    if later.frauds < _FRAUDS:
        return every
    chosen = replace(chosen, genuine_at_once=_GENUINE_AT_ONCE)
    network = network_for(earlier, chosen)
    model = fit_for(EPOCHS, earlier, network, seed, chosen, progress, run, SELECTION)
    rises = _rises(model, later, np.random.default_rng(seed))
    found = np.flatnonzero(rises > 0)
    return found if len(found) else every


def _rises(model: Any, frame: Frame, random: np.random.Generator) -> Floats:
    """[features] mean rise of the weighted loss, less so many of its standard errors."""
    rows, weights = _measured_rows(frame, random)
    vectors, labels = as_rows(frame.vectors[rows]), frame.labels[rows]
    before = _losses(model, vectors, labels)
    # As often as traffic has them: frauds are many more among these rows.
    others = random.choice(len(rows), size=len(rows), p=weights / weights.sum())
    rises = np.empty(vectors.shape[1])
    for feature in range(vectors.shape[1]):
        kept = vectors[:, feature].copy()
        vectors[:, feature] = kept[others]
        rise = (_losses(model, vectors, labels) - before) * weights
        vectors[:, feature] = kept
        rises[feature] = rise.mean() - _ERRORS * rise.std() / np.sqrt(len(rise))
    return rises


def _measured_rows(frame: Frame, random: np.random.Generator) -> tuple[Ints, Floats]:
    """All frauds and some genuine rows, and the weight of each."""
    genuine = np.flatnonzero(frame.labels == 0)
    taken = random.permutation(genuine)[:_GENUINE]
    rows = np.concatenate([np.flatnonzero(frame.labels == 1), np.sort(taken)])
    weights = frame.row_weights()[rows]
    weights[frame.labels[rows] == 0] *= len(genuine) / len(taken)
    return rows, weights


def _losses(model: Any, vectors: Any, labels: Floats) -> Floats:
    """[n] logarithmic loss of each row: log(1 + exp(-m)), m the logit on the side of the label."""
    margins = np.where(labels == 1, 1.0, -1.0) * logits_of(model, vectors)
    result: Floats = np.logaddexp(0.0, -margins)
    return result
