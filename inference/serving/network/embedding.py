"""Embedding layer: a small dense layer of its own for each feature."""

from functools import cache
from typing import Any


def embedding(width: int) -> Any:
    """A Keras layer from [n, features, k] to [n, features * width], ReLU of a matrix of each."""
    return _layer()(width)


@cache
def _layer() -> Any:
    import keras
    from keras import ops

    class Embedding(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, width: int) -> None:
            super().__init__()
            self.width = width

        def build(self, shape: tuple[int | None, int, int]) -> None:
            _, features, inputs = shape
            # As wide as the inputs are many: most of them are 0 or 1.
            spread = keras.initializers.RandomNormal(stddev=inputs**-0.5)
            self.kernel = self.add_weight(
                shape=(features, inputs, self.width), initializer=spread, name="kernel"
            )
            self.bias = self.add_weight(
                shape=(features, 1, self.width), initializer="zeros", name="bias"
            )

        def call(self, inputs: Any) -> Any:
            apart = ops.transpose(inputs, (1, 0, 2))
            made = ops.relu(ops.add(ops.matmul(apart, self.kernel), self.bias))
            features = self.kernel.shape[0]
            return ops.reshape(ops.transpose(made, (1, 0, 2)), (-1, features * self.width))

    return Embedding
