"""Batches: the rows of an epoch, their order, and the values that are blanked.

They follow from seed, epoch and number of the batch alone, so that every worker knows the batches
of all, and a resumed run knows the remaining ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.frame.frame import Floats, Frame, Ints, Vectors
from inference.serving.graph import as_rows
from inference.serving.network.tensorflow_setup import start
from inference.training.fitting.cluster import Cluster

_AHEAD = 2  # batches that are made while one is learnt


@dataclass(frozen=True, slots=True)
class Batches:
    """The labelled rows of a frame, by `numbers` into `vectors`; `genuine` of the genuine ones take
    part in an epoch, and `blanked` of all that do lose about half of their values."""

    vectors: Vectors
    numbers: Ints
    labels: Floats
    weights: Floats
    seed: int
    genuine: int
    blanked: float

    @property
    def size(self) -> int:
        """Rows of a batch: about 25 batches in small frames, 1024 rows in large ones; more rank
        worse, where few frauds are known above all."""
        return int(np.clip(2 ** np.floor(np.log2(len(self.labels) / 25)), 32, 1024))

    def of_epoch(self, epoch: int, cluster: Cluster) -> Any:
        """A tf.data.Dataset of this worker's part of each batch: vectors [n, d], labels [n, 1] and
        weights [n] float32, the number in the batch of the first row, and the rows of all parts."""
        tf = start()
        signature = (
            tf.TensorSpec([None, self.vectors.shape[1]], tf.float32),
            tf.TensorSpec([None, 1], tf.float32),
            tf.TensorSpec([None], tf.float32),
            tf.TensorSpec([], tf.int64),
            tf.TensorSpec([], tf.float32),
        )
        made = tf.data.Dataset.from_generator(
            lambda: self._parts(epoch, cluster), output_signature=signature
        )
        return made.prefetch(_AHEAD)

    def _parts(self, epoch: int, cluster: Cluster) -> Iterator[tuple[Any, ...]]:
        taken = self._taken(epoch)
        for number, begin in enumerate(range(0, len(taken), self.size)):
            rows = taken[begin : begin + self.size]
            part = cluster.part(len(rows))
            random = np.random.default_rng([self.seed, epoch, number])
            lost = _lost((len(rows), self.vectors.shape[1]), self.blanked, random)[part]
            mine = rows[part]
            vectors = as_rows(self.vectors[self.numbers[mine]])
            vectors[lost] = np.nan
            labels = self.labels[mine, None].astype(np.float32)
            weights = self.weights[mine].astype(np.float32)
            yield vectors, labels, weights, part.start, len(rows)

    def _taken(self, epoch: int) -> Ints:
        random = np.random.default_rng([self.seed, epoch])
        # As many in every epoch: the step is compiled anew for another size of the last batch.
        genuine = random.permutation(np.flatnonzero(self.labels == 0))[: self.genuine]
        taken: Ints = random.permutation(
            np.concatenate([np.flatnonzero(self.labels == 1), genuine])
        )
        return taken


def batches_of(frame: Frame, seed: int, genuine_at_once: int, blanked: float) -> Batches:
    """At most `genuine_at_once` genuine rows an epoch; they weigh as much as all would."""
    numbers = np.flatnonzero(~np.isnan(frame.labels))
    labels = frame.labels[numbers]
    genuine = min(frame.genuine, genuine_at_once)
    weights = _balanced(frame, labels)
    weights = np.where(labels == 1, weights, weights * frame.genuine / max(genuine, 1))
    return Batches(frame.vectors, numbers, labels, weights, seed, genuine, blanked)


def _balanced(frame: Frame, labels: Floats) -> Floats:
    """Weights of the labelled rows, 1 on average: odds of fraud are those of all traffic.

    Frauds that weigh more cost ranking among the highest scores, and gain nothing below: few as
    they are, they all take part in every epoch.
    """
    odds = frame.prevalence / (1 - frame.prevalence)
    weights = np.where(labels == 1, odds / frame.frauds, 1 / frame.genuine)
    result: Floats = weights / weights.mean()
    return result


def _lost(shape: tuple[int, int], share: float, random: np.random.Generator) -> Any:
    """[n, d] bool: about half of the values of that share of rows."""
    lost = np.zeros(shape, dtype=bool)
    rows = np.flatnonzero(random.random(shape[0]) < share)
    lost[rows] = random.random((len(rows), shape[1])) < 0.5
    return lost
