"""Owns the shape of the network, preprocessing included; fitting it is fit.py's.

Each feature x becomes K numbers, clip((x - k_i) / (k_i+1 - k_i), 0, 1) for its knots k (piecewise
linear encoding, Gorishniy et al. 2022: a network then fits steps and thresholds as trees do), all 0
where x is unknown, and one number that says whether it is unknown. No scaling is left to callers,
and a value beyond the knots of training counts as the outermost one. A small layer of its own makes
a few numbers of each feature before the layers that see them all (PLE-LR in the same paper).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.artefacts.manifest import Network
from inference.serving.graph import Matrix, as_rows
from inference.training.fitting.dropout import dropout as row_dropout
from inference.training.fitting.embedding import embedding
from inference.training.frame.frame import Floats, Vectors

BINS = 16
_TAILS = (0.001, 0.005, 0.01, 0.99, 0.995, 0.999)
_ENOUGH = 100_000  # rows, for quantiles


def knots_for(vectors: Vectors, labels: Floats) -> list[list[float]]:
    """Per feature BINS + 1 ascending float32 numbers: quantiles of all rows and of the frauds.

    Fewer distinct ones are filled up with the last, which makes bins of no effect.
    """
    every = as_rows(vectors[:: max(1, len(vectors) // _ENOUGH)])
    frauds = as_rows(vectors[labels == 1])
    return [_knots(every[:, i], frauds[:, i]) for i in range(vectors.shape[1])]


def _knots(column: Any, of_frauds: Any) -> list[float]:
    probabilities = np.array(sorted({*np.linspace(0, 1, BINS + 1), *_TAILS}))
    chosen = [
        np.quantile(known, probabilities, method="nearest")
        for known in (part[~np.isnan(part)] for part in (column, of_frauds))
        if len(known)
    ]
    if not chosen:
        return [0.0] * (BINS + 1)
    distinct = np.unique(np.concatenate(chosen))
    if len(distinct) > BINS + 1:
        distinct = distinct[np.linspace(0, len(distinct) - 1, BINS + 1).round().astype(int)]
    filled = np.full(BINS + 1, distinct[-1])
    filled[: len(distinct)] = distinct
    return [float(knot) for knot in filled]


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


def restored(network: Network, weights: Sequence[Matrix]) -> Any:
    """The exported model again, from a manifest's network and stored weights."""
    model = build(network)
    model.set_weights(list(weights))
    return with_scores(model, network)


def _encoded(inputs: Any, knots: Matrix) -> Any:
    """[n, d, BINS + 1]."""
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
