"""Fit of the network: with early stopping on later rows, or for a number of epochs."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inference.artefacts.manifest import Network
from inference.evaluation.metrics import average_precision
from inference.frame.frame import Frame
from inference.frame.progress import Progress
from inference.training.fitting.batches import batches_of
from inference.training.fitting.checkpoints import Checkpoints
from inference.training.fitting.cluster import ALONE, Cluster
from inference.training.fitting.knots import knots_for
from inference.training.fitting.loop import Loop


@dataclass(frozen=True, slots=True)
class FitSettings:
    """`blanked_rows` is the share of rows that lose half of their values in an epoch.

    Without it, scores of payments that lack a customer or a merchant would be arbitrary.
    `genuine_at_once` bounds how many genuine rows an epoch takes, drawn anew for each: beyond it
    more of them cost time and teach little, where all frauds are always there.
    """

    hidden: tuple[int, ...] = (64, 32)
    embedding: int = 8
    epochs: int = 12
    patience: int = 4
    learning_rate: float = 2e-3
    dropout: float = 0.1
    blanked_rows: float = 0.1
    decay: float = 1e-4
    genuine_at_once: int = 400_000


@dataclass(frozen=True, slots=True)
class Run:
    """Who fits with whom, and where each epoch is kept."""

    cluster: Cluster = ALONE
    checkpoints: Checkpoints = field(default_factory=Checkpoints)


IN_MEMORY = Run()

SELECTION, EARLIER, ALL = "sounding", "earlier", "all"
"""Phases of a training, as checkpoint files are named."""
_PHASES = (SELECTION, EARLIER, ALL)
_SHOWN = {SELECTION: "feature selection", ALL: "all labels"}


def epochs_kept(checkpoints: Checkpoints) -> int:
    """Of all fits together; it grows with each epoch that is kept."""
    return sum(checkpoints.latest(phase).epoch for phase in _PHASES)


def network_for(frame: Frame, chosen: FitSettings) -> Network:
    """A network before its calibration, with knots from the rows of `frame`."""
    knots = knots_for(frame.vectors, frame.labels)
    return Network(knots, list(chosen.hidden), slope=1.0, intercept=0.0, embedding=chosen.embedding)


def fit(
    frame: Frame,
    later: Frame,
    network: Network,
    seed: int,
    chosen: FitSettings,
    progress: Progress,
    run: Run = IN_MEMORY,
) -> tuple[Any, int]:
    """The Keras model at its best epoch by average precision on `later`, and that epoch.

    Only labelled rows take part. The same arguments give the same weights on one machine, whether
    or not the run was interrupted after an epoch.
    """
    held = np.flatnonzero(~np.isnan(later.labels))
    truth, weights = later.labels[held], later.row_weights()[held]
    fitting = _Fitting(frame, network, seed, chosen, run, EARLIER, chosen.epochs)
    fitting.tell(progress)
    while (at := fitting.at).epoch < chosen.epochs and at.epoch - at.best_epoch < chosen.patience:
        epoch = fitting.learn()
        reached = average_precision(truth, fitting.loop.logits(later.vectors, held), weights)
        fitting.keep(reached)
        progress(epoch / chosen.epochs, f"epoch {epoch}: average precision {reached:.4f}")
    fitting.loop.model.set_weights(fitting.at.best_weights)
    return fitting.loop.model, fitting.at.best_epoch


def fit_for(
    epochs: int,
    frame: Frame,
    network: Network,
    seed: int,
    chosen: FitSettings,
    progress: Progress,
    run: Run = IN_MEMORY,
    phase: str = ALL,
) -> Any:
    """The Keras model after that many epochs on all of `frame`."""
    fitting = _Fitting(frame, network, seed, chosen, run, phase, epochs)
    fitting.tell(progress)
    while fitting.at.epoch < epochs:
        epoch = fitting.learn()
        fitting.keep()
        progress(epoch / epochs, f"{_SHOWN[phase]}, epoch {epoch} of {epochs}")
    return fitting.loop.model


class _Fitting:
    """A loop and how far it is: `at`, which it takes up where the run was interrupted."""

    def __init__(
        self,
        frame: Frame,
        network: Network,
        seed: int,
        chosen: FitSettings,
        run: Run,
        phase: str,
        epochs: int,
    ) -> None:
        self.loop = Loop(network, seed, chosen.dropout, chosen.decay, run.cluster)
        self.at = run.checkpoints.latest(phase)
        self.loop.restore(self.at.variables)
        self._batches = batches_of(frame, seed, chosen.genuine_at_once, chosen.blanked_rows)
        self._checkpoints, self._phase = run.checkpoints, phase
        self._rate, self._epochs = chosen.learning_rate, epochs

    def tell(self, progress: Progress) -> None:
        if self.at.epoch:
            progress(self.at.epoch / self._epochs, f"going on after epoch {self.at.epoch}")

    def learn(self) -> int:
        """One epoch, and its number. The learning rate falls as half a cosine over all of them."""
        epoch = self.at.epoch + 1
        share = (1 + np.cos(np.pi * epoch / (self._epochs + 1))) / 2
        self.loop.learn(self._batches, epoch, self._rate * share)
        self.at = replace(self.at, epoch=epoch)
        return epoch

    def keep(self, reached: float | None = None) -> None:
        self.at = replace(self.at, variables=self.loop.variables())
        # Of equally good epochs the later one is kept.
        if reached is not None and reached >= self.at.best:
            weights = self.loop.model.get_weights()
            self.at = replace(self.at, best=reached, best_epoch=self.at.epoch, best_weights=weights)
        self._checkpoints.keep(self._phase, self.at)
