"""Keras model of fraud: preprocessing and layers. It is fitted in inference.training.fitting.

No scaling is left to callers: each feature is encoded by its knots (embedding.py), and layers that
see them all follow.
"""

from typing import Any

import numpy as np

from inference.artefacts.manifest import Network
from inference.artefacts.store import Artefact
from inference.serving.network.dropout import dropout as row_dropout
from inference.serving.network.embedding import embedding
from inference.serving.network.weights import unpack_weights


def build(network: Network, dropout: float = 0.0, compiled: bool = False) -> Any:
    """A Keras model from [n, d] float32 (NaN unknown) to [n, 1] logits, not yet calibrated."""
    import keras

    inputs = keras.Input((len(network.knots),), name="features")
    knots = np.array(network.knots, np.float32)
    hidden = embedding(knots, network.embedding, compiled)(inputs)
    for width in network.hidden:
        hidden = keras.layers.Dense(width)(hidden)
        hidden = keras.layers.LeakyReLU(network.leak)(hidden)
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
