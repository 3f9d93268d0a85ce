"""LiteRT graph: one thread, one fixed batch size, one caller at a time.

The kernels may choose another order of sums for another batch size, so bits are promised for the
batch size a Graph was made for and no other.
"""

from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import IntegrityError

Matrix = npt.NDArray[np.float32]

GREATEST = np.finfo(np.float32).max
SCORE, LOGIT = 0, 1  # columns of the graph's output
_AT_ONCE = 256


class Graph:
    """Takes `batch` rows of float32 (NaN is unknown); gives score and logit of each."""

    def __init__(self, content: bytes, batch: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_content=content, num_threads=1)
            self._input = interpreter.get_input_details()[0]["index"]
            width = int(interpreter.get_input_details()[0]["shape"][-1])
            interpreter.resize_tensor_input(self._input, [batch, width])
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise IntegrityError(f"model.tflite cannot be loaded: {error}") from error
        self._interpreter: Any = interpreter
        self._output = interpreter.get_output_details()[0]["index"]
        self._lock = Lock()
        self.width = width
        self.batch = batch

    def run(self, rows: Matrix) -> Matrix:
        """[batch, 2]: SCORE in [0, 1] and LOGIT. The same rows give the same bits."""
        with self._lock:
            self._interpreter.set_tensor(self._input, rows)
            self._interpreter.invoke()
            result: Matrix = self._interpreter.get_tensor(self._output)
        return result


def scores_of(content: bytes, vectors: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """[n] scores of `vectors` [n, d], for measures: many at once, whose bits may be others than
    those of a decision. Raises IntegrityError."""
    graph = Graph(content, _AT_ONCE)
    scores, rows = np.empty(len(vectors)), np.zeros((_AT_ONCE, graph.width), dtype=np.float32)
    for begin in range(0, len(vectors), _AT_ONCE):
        part = as_rows(vectors[begin : begin + _AT_ONCE])
        rows[: len(part)] = part
        scores[begin : begin + len(part)] = graph.run(rows)[: len(part), SCORE]
    return scores


def kernel() -> str:
    """The name and version of what computes, as part of a fingerprint."""
    import ai_edge_litert

    return f"litert-{ai_edge_litert.__version__}/xnnpack"


def as_row(values: Any) -> Matrix:
    """[1, n] float32 from numbers and None; None becomes NaN."""
    return as_rows(np.array([values], dtype=np.float64))


def as_rows(vectors: npt.NDArray[np.floating[Any]]) -> Matrix:
    """Rounded to float32; what is too large becomes the greatest: an infinite number would walk on
    from a leaf."""
    with np.errstate(over="ignore"):
        rows: Matrix = vectors.astype(np.float32, copy=False)
    return np.clip(rows, -GREATEST, GREATEST) if np.isinf(rows).any() else rows
