"""Keras model of a forest: the graph that is exported, from vectors to calibrated scores.

Every tree walks at once, one comparison a step, as far as the deepest tree goes; a leaf leads to
itself. An unknown value is taken as the least or the greatest number, by the side it goes to:
LiteRT knows no infinite ones. What the leaves say is added in the order of `forest.sums`, by
operations of which each adds two numbers, so that no kernel chooses another one.
"""

from functools import cache
from typing import Any

import numpy as np

from inference.artefacts.manifest import Calibration
from inference.artefacts.store import Artefact
from inference.serving.forest.forest import Forest
from inference.serving.forest.sums import places_of
from inference.serving.forest.tensorflow_setup import start
from inference.serving.graph import GREATEST


def scoring(forest: Forest, width: int, calibration: Calibration) -> Any:
    """A Keras model from [n, width] float32, NaN unknown, to [n, 2] calibrated score and logit."""
    start()
    import keras
    from keras import ops

    keras.backend.clear_session()  # names follow from the model alone, as the bytes of the graph do
    inputs = keras.Input((width,), name="features")
    sums = _layer()(forest, width)(inputs)
    shares = ops.divide(sums[:, :1], float(forest.averaged))
    odds = ops.subtract(ops.log(shares), ops.log(ops.subtract(1.0, shares)))
    if forest.boosted:
        odds = ops.add(odds, sums[:, 1:])
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

    class Sums(keras.layers.Layer):  # type: ignore[misc]
        """[n, 2]: what the averaged trees say, added, and what the boosted ones do."""

        def __init__(self, forest: Forest, width: int) -> None:
            super().__init__()
            self.depth, self.roots = forest.depth, forest.roots
            # Beside the values with the least for what is unknown stand those with the greatest.
            self.feature = forest.side // 2 + np.int32(width) * (forest.side % 2)
            self.threshold, self.child, self.says = forest.threshold, forest.child, forest.says
            self.averaged, self.places = forest.averaged, places_of(forest)

        def call(self, inputs: Any) -> Any:
            known = tf.equal(inputs, inputs)  # NaN alone differs from itself
            low, high = (
                tf.where(known, inputs, tf.fill(tf.shape(inputs), end))
                for end in (-GREATEST, GREATEST)
            )
            values = tf.concat([low, high], axis=1)
            # All rows begin at the same nodes.
            value = tf.gather(values, self.feature[self.roots], axis=1)
            right = tf.cast(value > self.threshold[self.roots], tf.int32)
            at = self.child[self.roots] + right
            for _ in range(self.depth - 1):
                value = tf.gather(values, tf.gather(self.feature, at), axis=1, batch_dims=1)
                right = tf.cast(value > tf.gather(self.threshold, at), tf.int32)
                at = tf.gather(self.child, at) + right
            return self.added(tf.gather(self.says, at))

        def added(self, said: Any) -> Any:
            parts = said[:, : self.averaged], said[:, self.averaged :]
            padded = [tf.pad(each, [[0, 0], [0, self.places - each.shape[1]]]) for each in parts]
            # One of each by turns, so that halves of both lie together.
            sums = tf.reshape(tf.stack(padded, axis=2), [-1, 2 * self.places])
            while sums.shape[1] > 2:
                first, second = tf.split(sums, 2, axis=1)
                sums = first + second
            return sums

    return Sums
