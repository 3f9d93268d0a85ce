"""Training loop over batches, for one worker or several.

Ours, because Keras's `fit` refuses several workers. Gradients are summed over the workers and
divided by the rows of the whole batch, so that N workers learn what one would.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from host.memory import keep_freed_memory
from inference.artefacts.manifest import Network
from inference.frame.frame import Floats
from inference.serving.graph import Matrix
from inference.serving.network.dropout import rows_of
from inference.serving.network.keras_model import build
from inference.serving.network.tensorflow_setup import seed_all, start
from inference.training.fitting.batches import Batches
from inference.training.fitting.cluster import Cluster

_SCORED_AT_ONCE = 8192
_COMPILED_FROM = 1024  # rows of a batch


class Loop:
    """A network and its optimizer (AdamW), the same in every worker of the cluster."""

    def __init__(
        self,
        network: Network,
        seed: int,
        dropout: float,
        decay: float,
        cluster: Cluster,
        batch: int,
    ) -> None:
        keep_freed_memory()
        strategy = cluster.strategy()
        seed_all(seed)
        import keras

        with strategy.scope():
            self.model = build(network, dropout, compiled=batch >= _COMPILED_FROM)
            self.optimizer = keras.optimizers.AdamW(weight_decay=decay)
            self.optimizer.build(self.model.trainable_variables)
        self._variables = [*self.model.variables, *self.optimizer.variables]
        self._cluster = cluster
        self._step = _step_of(self.model, self.optimizer, strategy)

    def learn(self, batches: Batches, epoch: int, learning_rate: float) -> None:
        self.optimizer.learning_rate = learning_rate
        for batch in batches.of_epoch(epoch, self._cluster):
            self._step(*batch)

    def variables(self) -> list[Matrix]:
        """Copies of all that another loop needs to go on as this one would."""
        return [np.array(one) for one in self._variables]

    def restore(self, variables: Sequence[Matrix]) -> None:
        """Those of another loop of the same network; none at all: as it was made."""
        for mine, other in zip(self._variables if variables else (), variables, strict=True):
            mine.assign(other)


def logits_of(model: Any, vectors: Matrix) -> Floats:
    """[n] float64 from a Keras model with one output."""
    if not len(vectors):
        return np.empty(0)
    parts = [
        _scored(model, vectors[i : i + _SCORED_AT_ONCE])
        for i in range(0, len(vectors), _SCORED_AT_ONCE)
    ]
    return np.concatenate(parts).astype(np.float64)


def _scored(model: Any, vectors: Matrix) -> Matrix:
    scores: Matrix = np.asarray(model(vectors))[:, 0]
    return scores


def _step_of(model: Any, optimizer: Any, strategy: Any) -> Any:
    tf = start()
    import keras

    entropy = keras.losses.BinaryCrossentropy(from_logits=True, reduction="sum")

    def learn(vectors: Any, labels: Any, weights: Any, first: Any, rows: Any) -> None:
        with tf.GradientTape() as tape, rows_of(optimizer.iterations.value, first):
            loss = entropy(labels, model(vectors, training=True), weights) / rows
        optimizer.apply(tape.gradient(loss, model.trainable_variables))

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def step(*batch: Any) -> None:
        strategy.run(learn, args=batch)

    return step
