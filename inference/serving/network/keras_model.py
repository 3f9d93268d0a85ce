"""Keras model of fraud: preprocessing and layers. It is fitted in inference.training.fitting.

Each feature x becomes K numbers, clip((x - k_i) / (k_i+1 - k_i), 0, 1) for its knots k (piecewise
linear encoding, Gorishniy et al. 2022: a network then fits steps and thresholds as trees do), all 0
where x is unknown, and one number that says whether it is unknown. No scaling is left to callers,
and a value beyond the knots of training counts as the outermost one. A small layer of its own makes
a few numbers of each feature before the layers that see them all (PLE-LR in the same paper).
"""

from typing import Any

import numpy as np

from inference.artefacts.manifest import Network
from inference.artefacts.store import Artefact
from inference.serving.graph import Matrix
from inference.serving.network.dropout import dropout as row_dropout
from inference.serving.network.embedding import embedding
from inference.serving.network.weights import unpack_weights


def build(network: Network, dropout: float = 0.0) -> Any:
    """A Keras model from [n, d] float32 (NaN unknown) to [n, 1] logits, not yet calibrated."""
    import keras

    inputs = keras.Input((len(network.knots),), name="features")
    hidden = embedding(network.embedding)(_encoded(inputs, np.array(network.knots, np.float32)))
    for width in network.hidden:
        hidden = keras.layers.Dense(width, activation="relu")(hidden)
        if dropout:
            hidden = row_dropout(dropout)(hidden)
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))


def with_scores(model: Any, network: Network) -> Any:
    """The model that is exported: [n, 2] of calibrated score and calibrated logit."""
    import keras
    from keras import ops

    logits = ops.add(ops.multiply(model.output, network.slope), network.intercept)
    return keras.Model(model.input, ops.concatenate([ops.sigmoid(logits), logits], axis=1))


def restored(artefact: Artefact) -> Any:
    """The exported model again, as with_scores gives it."""
    network = artefact.manifest.network
    model = build(network)
    model.set_weights(unpack_weights(artefact.weights))
    return with_scores(model, network)


def _encoded(inputs: Any, knots: Matrix) -> Any:
    """[n, d, K + 1]."""
    from keras import ops

    width = np.diff(knots, axis=1)
    scale = np.divide(1, width, out=np.zeros_like(width), where=width > 0)
    known = ops.equal(inputs, inputs)  # NaN alone differs from itself
    value = ops.where(known, inputs, ops.zeros_like(inputs))
    # Infinities and far outliers would give NaN and inf further on.
    value = ops.minimum(ops.maximum(value, knots[:, 0]), knots[:, -1])
    steps = ops.multiply(ops.subtract(ops.expand_dims(value, -1), knots[:, :-1]), scale)
    steps = ops.minimum(ops.maximum(steps, 0.0), 1.0)
    known = ops.expand_dims(ops.cast(known, "float32"), -1)
    return ops.concatenate([ops.multiply(steps, known), ops.subtract(1.0, known)], axis=2)
