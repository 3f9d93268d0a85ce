"""Owns fitting the network: on the earlier rows, stopped on the later, then on all; no export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.manifest import Network
from inference.training.batches import batches_of
from inference.training.cluster import Cluster
from inference.training.frame import Frame
from inference.training.loop import Loop
from inference.training.metrics import average_precision

Progress = Callable[[float, str], None]

ALONE = Cluster()


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
    frame: Frame,
    later: Frame,
    network: Network,
    seed: int,
    chosen: FitSettings,
    progress: Progress,
    cluster: Cluster = ALONE,
) -> tuple[Any, int]:
    """The Keras model at its best epoch by average precision on `later`, and that epoch.

    Only labelled rows take part. The same arguments give the same weights on one machine.
    """
    held = np.flatnonzero(~np.isnan(later.labels))
    truth, weights = later.labels[held], later.row_weights()[held]
    best, best_epoch, best_weights = -1.0, 0, None
    for epoch, loop in _epochs(frame, network, seed, chosen, chosen.epochs, cluster):
        reached = average_precision(truth, loop.logits(later.vectors, held), weights)
        progress(epoch / chosen.epochs, f"epoch {epoch}: average precision {reached:.4f}")
        if reached > best:
            best, best_epoch, best_weights = reached, epoch, loop.model.get_weights()
        elif epoch - best_epoch >= chosen.patience:
            break
    loop.model.set_weights(best_weights)
    return loop.model, best_epoch


def refit(
    frame: Frame,
    epochs: int,
    network: Network,
    seed: int,
    chosen: FitSettings,
    progress: Progress,
    cluster: Cluster = ALONE,
) -> Any:
    """The Keras model after that many epochs on all of `frame`: the latest labels teach most."""
    for epoch, loop in _epochs(frame, network, seed, chosen, epochs, cluster):  # noqa: B007
        progress(epoch / epochs, f"all labels, epoch {epoch} of {epochs}")
    return loop.model


def _epochs(
    frame: Frame, network: Network, seed: int, chosen: FitSettings, epochs: int, cluster: Cluster
) -> Iterator[tuple[int, Loop]]:
    """(number, loop) after each epoch; the learning rate falls as half a cosine over all of
    `chosen.epochs`, however few are run."""
    loop = Loop(network, seed, chosen.dropout, chosen.decay, cluster)
    batches = batches_of(frame, seed, chosen.genuine_at_once, chosen.blanked_rows)
    for epoch in range(1, epochs + 1):
        share = (1 + np.cos(np.pi * epoch / (chosen.epochs + 1))) / 2
        loop.learn(batches, epoch, chosen.learning_rate * share)
        yield epoch, loop
