"""Keras model of a forest: the graph that is exported, from vectors to calibrated scores.

Every tree walks at once, one comparison a step, as far as the deepest tree goes; a leaf leads to
itself. An unknown value is taken as the least or the greatest number, by the side it goes to:
LiteRT knows no infinite ones.
"""

from functools import cache
from typing import Any

import numpy as np

from inference.artefacts.manifest import Calibration
from inference.artefacts.store import Artefact
from inference.serving.forest.forest import Forest
from inference.serving.forest.tensorflow_setup import start
from inference.serving.graph import GREATEST


def scoring(forest: Forest, width: int, calibration: Calibration) -> Any:
    """A Keras model from [n, width] float32, NaN unknown, to [n, 2] calibrated score and logit."""
    start()
    import keras
    from keras import ops

    keras.backend.clear_session()  # names follow from the model alone, as the bytes of the graph do
    inputs = keras.Input((width,), name="features")
    odds = _layer()(forest, width)(inputs)
    logits = ops.add(ops.multiply(odds, calibration.slope), calibration.intercept)
    return keras.Model(inputs, ops.concatenate([ops.sigmoid(logits), logits], axis=1))


def restored(artefact: Artefact) -> Any:
    """The exported model again, as `scoring` gives it."""
    manifest = artefact.manifest
    forest = Forest.from_bytes(artefact.forest)
    return scoring(forest, len(manifest.feature_names), manifest.calibration)


@cache
def _layer() -> Any:
    import keras
    import tensorflow as tf

    class Trees(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, forest: Forest, width: int) -> None:
            super().__init__()
            self.depth, self.roots = forest.depth, forest.roots
            # Beside the values with the least for what is unknown stand those with the greatest.
            self.feature = forest.side // 2 + np.int32(width) * (forest.side % 2)
            self.threshold, self.child, self.says = forest.threshold, forest.child, forest.says
            self.averaged = forest.averaged

        def call(self, inputs: Any) -> Any:
            known = tf.equal(inputs, inputs)  # NaN alone differs from itself
            low, high = (
                tf.where(known, inputs, tf.fill(tf.shape(inputs), end))
                for end in (-GREATEST, GREATEST)
            )
            values = tf.concat([low, high], axis=1)
            first = tf.gather(values, np.zeros_like(self.roots), axis=1)
            at = tf.cast(tf.zeros_like(first), tf.int32) + self.roots
            for _ in range(self.depth):
                value = tf.gather(values, tf.gather(self.feature, at), axis=1, batch_dims=1)
                right = tf.cast(value > tf.gather(self.threshold, at), tf.int32)
                at = tf.gather(self.child, at) + right
            said = tf.gather(self.says, at)
            shares = tf.reduce_mean(said[:, : self.averaged], axis=1, keepdims=True)
            odds = tf.math.log(shares) - tf.math.log(1.0 - shares)
            if self.averaged == len(self.roots):
                return odds
            return odds + tf.reduce_sum(said[:, self.averaged :], axis=1, keepdims=True)

    return Trees
