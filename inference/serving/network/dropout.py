"""Dropout layer whose draws follow from seed, step and row.

Keras's own keeps a counter in each process: with it N workers draw other values than one worker
does, and a resumed run draws other values than one that was not interrupted.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

_PHILOX = 1
_PER_COUNT = 4  # numbers that Philox 4x32 gives for each value of its counter

_rows: ContextVar[tuple[Any, Any]] = ContextVar("rows")


@contextmanager
def rows_of(step: Any, first: Any) -> Iterator[None]:
    """Within, a model called for training gets rows `first`, `first` + 1, ... of that step's batch.

    Both are scalar integer tensors, of the graph that is being traced.
    """
    token = _rows.set((step, first))
    try:
        yield
    finally:
        _rows.reset(token)


def dropout(rate: float) -> Any:
    """A Keras layer over [n, width]; its seed is drawn when made, as Keras draws its own."""
    return _layer()(rate)


@cache
def _layer() -> Any:
    import keras
    import tensorflow as tf

    class RowDropout(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, rate: float) -> None:
            super().__init__()
            self.rate = rate
            self.key = random.randrange(1, 2**63)

        def call(self, inputs: Any, training: bool = False) -> Any:
            if not training or not self.rate:
                return inputs
            step, first = (tf.cast(number, tf.int64) for number in _rows.get())
            counts = -(-inputs.shape[1] // _PER_COUNT)
            drawn = tf.raw_ops.StatelessRandomUniformV2(
                shape=tf.stack([tf.shape(inputs)[0], counts * _PER_COUNT]),
                key=tf.constant([self.key], tf.uint64),
                counter=tf.cast(tf.stack([first * counts, step]), tf.uint64),
                alg=_PHILOX,
            )
            kept = tf.cast(drawn[:, : inputs.shape[1]] >= self.rate, inputs.dtype)
            return inputs * kept / (1 - self.rate)

    return RowDropout
