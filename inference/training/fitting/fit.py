"""Fit of the network, for a fixed number of epochs: stopping early hung on few later frauds."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inference.artefacts.manifest import Network
from inference.frame.frame import Frame
from inference.frame.progress import Progress
from inference.training.fitting.batches import batches_of
from inference.training.fitting.checkpoints import Checkpoint, Checkpoints
from inference.training.fitting.cluster import ALONE, Cluster
from inference.training.fitting.knots import knots_for
from inference.training.fitting.loop import Loop


@dataclass(frozen=True, slots=True)
class FitSettings:
    """`bins` is in how many steps a feature is encoded: with few, ranking suffers where amounts or
    days have a sharp bound. `blanked_rows` is the share of rows that lose half of their values in
    an epoch: without it, scores of payments that lack a customer or a merchant would be arbitrary.
    `genuine_at_once` bounds how many genuine rows an epoch takes, drawn anew for each: beyond it
    more of them cost time and teach little, where all frauds are always there. Without a `leak`,
    the last hidden units may all be 0 for what is most like fraud, which then has one score.
    """

    bins: int = 40
    hidden: tuple[int, ...] = (128, 64)
    embedding: int = 8
    epochs: int = 12
    learning_rate: float = 3e-3
    leak: float = 0.1
    dropout: float = 0.3
    blanked_rows: float = 0.1
    decay: float = 1e-4
    genuine_at_once: int = 150_000


@dataclass(frozen=True, slots=True)
class Run:
    """Who fits with whom, and where each epoch is kept."""

    cluster: Cluster = ALONE
    checkpoints: Checkpoints = field(default_factory=Checkpoints)


IN_MEMORY = Run()

EARLIER, ALL = "earlier", "all"
"""Phases of a training, as checkpoint files are named."""
_SHOWN = {EARLIER: "earlier labels", ALL: "all labels"}


def network_for(frame: Frame, chosen: FitSettings) -> Network:
    """A network before its calibration, with knots from the rows of `frame`."""
    knots = knots_for(frame.vectors, frame.labels, chosen.bins)
    return Network(
        knots,
        list(chosen.hidden),
        slope=1.0,
        intercept=0.0,
        embedding=chosen.embedding,
        leak=chosen.leak,
    )


def fit(
    frame: Frame,
    network: Network,
    seed: int,
    chosen: FitSettings,
    progress: Progress,
    run: Run = IN_MEMORY,
    phase: str = ALL,
) -> Any:
    """The Keras model after all epochs on the labelled rows of `frame`.

    The same arguments give the same weights on one machine, whether or not the run was interrupted
    after an epoch.
    """
    fitting = _Fitting(frame, network, seed, chosen, run, phase)
    if fitting.at.epoch:
        progress(fitting.at.epoch / chosen.epochs, f"going on after epoch {fitting.at.epoch}")
    while fitting.at.epoch < chosen.epochs:
        epoch = fitting.learn()
        progress(
            epoch / chosen.epochs, f"{_SHOWN.get(phase, phase)}, epoch {epoch} of {chosen.epochs}"
        )
    return fitting.loop.model


class _Fitting:
    """A loop and how far it is: `at`, which it takes up where the run was interrupted."""

    def __init__(
        self, frame: Frame, network: Network, seed: int, chosen: FitSettings, run: Run, phase: str
    ) -> None:
        self._batches = batches_of(frame, seed, chosen.genuine_at_once, chosen.blanked_rows)
        size = self._batches.size
        self.loop = Loop(network, seed, chosen.dropout, chosen.decay, run.cluster, size)
        self.at = run.checkpoints.latest(phase)
        self.loop.restore(self.at.variables)
        self._checkpoints, self._phase, self._chosen = run.checkpoints, phase, chosen

    def learn(self) -> int:
        """One epoch, and its number. The learning rate falls as half a cosine over all of them."""
        epoch = self.at.epoch + 1
        share = (1 + np.cos(np.pi * epoch / (self._chosen.epochs + 1))) / 2
        self.loop.learn(self._batches, epoch, self._chosen.learning_rate * share)
        self.at = Checkpoint(epoch, self.loop.variables())
        self._checkpoints.keep(self._phase, self.at)
        return epoch
