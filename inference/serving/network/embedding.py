"""Embedding layer: each feature becomes a few numbers by its piecewise linear encoding.

A feature x is encoded as K numbers, clip((x - k_i) / (k_i+1 - k_i), 0, 1) for its knots k, all 0
where x is unknown, and one number that says whether it is unknown (Gorishniy et al. 2022, PLE): a
network then fits steps and thresholds as trees do. ReLU of a matrix of each feature's own follows
(PLE-LR in the same paper).
"""

from functools import cache
from typing import Any

import numpy as np

from inference.serving.graph import Matrix


def embedding(knots: Matrix, width: int, compiled: bool = False) -> Any:
    """A Keras layer from [n, features], NaN unknown, to [n, features * width].

    `knots` [features, K + 1] ascend. A value beyond them counts as the outermost one. Training
    `compiled` by XLA takes seconds to begin with, and a third of the time for each large batch.
    """
    return _layer()(knots, width, compiled)


@cache
def _layer() -> Any:
    import keras
    import tensorflow as tf
    from keras import ops

    class Embedding(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, knots: Matrix, width: int, compiled: bool) -> None:
            super().__init__()
            self.knots, self.width = knots, width
            self.learning = tf.function(self._looked_up, jit_compile=compiled, autograph=False)
            steps = np.diff(knots, axis=1)
            self.scale = np.divide(1, steps, out=np.zeros_like(steps), where=steps > 0)

        def build(self, _shape: tuple[int | None, int]) -> None:
            features, inputs = self.knots.shape
            # As wide as the inputs are many: most of them are 0 or 1.
            spread = keras.initializers.RandomNormal(stddev=inputs**-0.5)
            self.kernel = self.add_weight(
                shape=(features, inputs, self.width), initializer=spread, name="kernel"
            )
            self.bias = self.add_weight(
                shape=(features, 1, self.width), initializer="zeros", name="bias"
            )

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                return self.learning(inputs, self.kernel.value, self.bias.value)
            apart = ops.transpose(self._encoded(inputs), (1, 0, 2))
            made = ops.relu(ops.add(ops.matmul(apart, self.kernel), self.bias))
            features = self.kernel.shape[0]
            return ops.reshape(ops.transpose(made, (1, 0, 2)), (-1, features * self.width))

        def _within(self, inputs: Any) -> tuple[Any, Any]:
            """Which values are known, and each within its knots."""
            known = ops.equal(inputs, inputs)  # NaN alone differs from itself
            value = ops.where(known, inputs, ops.zeros_like(inputs))
            # Infinities and far outliers would give NaN and inf further on.
            return known, ops.minimum(ops.maximum(value, self.knots[:, 0]), self.knots[:, -1])

        def _encoded(self, inputs: Any) -> Any:
            """[n, features, K + 1]."""
            known, value = self._within(inputs)
            steps = ops.multiply(
                ops.subtract(ops.expand_dims(value, -1), self.knots[:, :-1]), self.scale
            )
            steps = ops.minimum(ops.maximum(steps, 0.0), 1.0)
            known = ops.expand_dims(ops.cast(known, "float32"), -1)
            return ops.concatenate([ops.multiply(steps, known), ops.subtract(1.0, known)], axis=2)

        def _looked_up(self, inputs: Any, kernel: Any, bias: Any) -> Any:
            """The same to rounding, and faster: the steps below a value are 1 and those above it 0,
            so that two rows of a table say all. What is exported multiplies, as LiteRT can."""
            features, steps = self.scale.shape
            known, value = self._within(inputs)
            step = tf.reduce_sum(tf.cast(value[..., None] >= self.knots[:, 1:-1], tf.int32), -1)
            rows = tf.where(known, step, steps) + np.arange(features) * (steps + 1)
            bounds = np.pad(np.stack([self.knots[:, :-1], self.scale], 2), ((0, 0), (0, 1), (0, 0)))
            bound = tf.gather(bounds.reshape(-1, 2), rows)
            part = tf.clip_by_value((value - bound[..., 0]) * bound[..., 1], 0, 1)
            # A step without width, between equal knots, is never taken: it adds nothing above it.
            taken = kernel[:, :-1] * (self.scale > 0).astype(np.float32)[..., None]
            below = tf.cumsum(taken, axis=1, exclusive=True)
            start = bias + tf.concat([below, kernel[:, -1:]], 1)
            slope = tf.concat([taken, tf.zeros_like(kernel[:, -1:])], 1)
            table = tf.reshape(tf.concat([start, slope], 2), (-1, 2 * self.width))
            found = tf.gather(table, rows)
            made = found[..., : self.width] + part[..., None] * found[..., self.width :]
            return tf.reshape(tf.nn.relu(made), (-1, features * self.width))

    return Embedding
