"""Owns fitting the network: on the earlier rows, stopped on the later, then on all; no export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.graph import Matrix, as_rows
from inference.manifest import Network
from inference.training.frame import Floats, Frame
from inference.training.metrics import average_precision
from inference.training.network import build
from inference.training.tensorflow_setup import seed_all, start

Progress = Callable[[float, str], None]

_SCORED_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class FitSettings:
    """`blanked_rows` is the share of rows that lose half of their values in an epoch.

    A model that never saw a payment without its customer or merchant would say anything there.
    `genuine_at_once` bounds how many genuine rows an epoch takes, drawn anew for each: beyond it
    more of them cost time and teach little, where all frauds are always there.
    """

    hidden: tuple[int, ...] = (64, 32)
    epochs: int = 24
    patience: int = 4
    learning_rate: float = 2e-3
    dropout: float = 0.1
    blanked_rows: float = 0.1
    decay: float = 1e-4
    genuine_at_once: int = 400_000


def fit(
    frame: Frame, later: Frame, network: Network, seed: int, chosen: FitSettings, progress: Progress
) -> tuple[Any, int]:
    """The Keras model at its best epoch by average precision on `later`, and that epoch.

    Only labelled rows take part. The same arguments give the same weights on one machine.
    """
    held, truth = _labelled(later)
    held_weights = later.row_weights()[~np.isnan(later.labels)]
    best, best_epoch, best_weights = -1.0, 0, None
    for epoch, model in _epochs(frame, network, seed, chosen, chosen.epochs):
        reached = average_precision(truth, logits_of(model, held), held_weights)
        progress(epoch / chosen.epochs, f"epoch {epoch}: average precision {reached:.4f}")
        if reached > best:
            best, best_epoch, best_weights = reached, epoch, model.get_weights()
        elif epoch - best_epoch >= chosen.patience:
            break
    model.set_weights(best_weights)
    return model, best_epoch


def refit(
    frame: Frame, epochs: int, network: Network, seed: int, chosen: FitSettings, progress: Progress
) -> Any:
    """The Keras model after that many epochs on all of `frame`: the latest labels teach most."""
    fitted = None
    for epoch, fitted in _epochs(frame, network, seed, chosen, epochs):  # noqa: B007
        progress(epoch / epochs, f"all labels, epoch {epoch} of {epochs}")
    return fitted


def _epochs(
    frame: Frame, network: Network, seed: int, chosen: FitSettings, epochs: int
) -> Iterator[tuple[int, Any]]:
    """(number, model) after each epoch; the learning rate falls as half a cosine over all of
    `chosen.epochs`, however few are run."""
    start()
    seed_all(seed)
    import keras

    model = build(network, chosen.dropout)
    vectors, labels = _labelled(frame)
    weights = _balanced(frame)
    random = np.random.default_rng(seed)
    share = min(1.0, chosen.genuine_at_once / max(frame.genuine, 1))
    weights = np.where(labels == 1, weights, weights / share)
    size = int(np.clip(2 ** np.floor(np.log2(len(labels) / 50)), 64, 4096))
    optimizer = keras.optimizers.AdamW(chosen.learning_rate, weight_decay=chosen.decay)
    model.compile(optimizer, keras.losses.BinaryCrossentropy(from_logits=True))
    for epoch in range(1, epochs + 1):
        optimizer.learning_rate = (
            chosen.learning_rate * (1 + np.cos(np.pi * epoch / (chosen.epochs + 1))) / 2
        )
        taken = random.permutation(
            np.flatnonzero((labels == 1) | (random.random(len(labels)) < share))
        )
        model.fit(
            _blanked(vectors[taken], chosen.blanked_rows, random),
            labels[taken],
            sample_weight=weights[taken],
            batch_size=size,
            shuffle=False,
            verbose=0,
        )
        yield epoch, model


def logits_of(model: Any, vectors: Matrix) -> Floats:
    """[n] float64 from a Keras model with one output."""
    if not len(vectors):
        return np.empty(0)
    parts = [
        np.asarray(model(vectors[i : i + _SCORED_AT_ONCE]))[:, 0]
        for i in range(0, len(vectors), _SCORED_AT_ONCE)
    ]
    return np.concatenate(parts).astype(np.float64)


def _labelled(frame: Frame) -> tuple[Matrix, Floats]:
    rows = ~np.isnan(frame.labels)
    return as_rows(frame.vectors[rows]), frame.labels[rows]


def _balanced(frame: Frame) -> Floats:
    """Weights of the labelled rows, 1 on average: odds of fraud are those of traffic, their root.

    Halfway (in logs) between traffic as it is, where fraud hardly moves the network, and equal
    classes, where the ranking of the few highest scores suffers.
    """
    labels = frame.labels[~np.isnan(frame.labels)]
    odds = np.sqrt(frame.prevalence / (1 - frame.prevalence))
    weights = np.where(labels == 1, odds / frame.frauds, 1 / frame.genuine)
    result: Floats = weights / weights.mean()
    return result


def _blanked(vectors: Matrix, share: float, random: np.random.Generator) -> Matrix:
    """A copy in which that share of rows has lost about half of its values."""
    result = vectors.copy()
    rows = np.flatnonzero(random.random(len(result)) < share)
    lost = random.random((len(rows), result.shape[1])) < 0.5
    result[rows] = np.where(lost, np.float32(np.nan), result[rows])
    return result
