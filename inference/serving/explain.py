"""Explanations: the features that raised a score. Their words are in domain.policy.reasons.

Against a typical genuine vector b, feature j of vector x contributes (in logits)

    ( f(x) - f(x with b_j)  +  f(b with x_j) - f(b) ) / 2

the mean of taking it away last and of adding it first: the two ends of its Shapley value (Strumbelj
and Kononenko 2014), so that one of two features that say the same is not lost. Ours, because a
decision records its reasons and replay must find the same ones: SHAP's samplers draw at random.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from inference.serving.graph import LOGIT, Matrix

MOST = 3
LEAST = 0.1  # logits, a tenth of the odds
_PARTS = 8


class Explainer:
    """Deterministic: contributions come from one batch through the model itself, whose size
    follows from the row alone."""

    def __init__(
        self, run: Callable[[Matrix], Matrix], names: Sequence[str], baseline: Matrix
    ) -> None:
        """`run` is the model for batches of `batch_sizes(len(names))`; `baseline` is [1, n]."""
        self._run = run
        self._codes = [f"model.{name}" for name in names]
        self._baseline = baseline[0]
        self._sizes = batch_sizes(len(names))

    def contributions(self, row: Matrix) -> Matrix:
        """[n] in logits, in the order of the features; `row` is [1, n]."""
        return self._of(row[0], ~self._typical(row[0]))

    def reasons(self, row: Matrix) -> list[str]:
        """Codes of the MOST largest contributions of LEAST or more; ties by feature order.

        An unknown value is no reason; flags on the decision say that it is missing.
        """
        share = self._of(row[0], ~(self._typical(row[0]) | np.isnan(row[0])))
        largest = np.argsort(-share, kind="stable")[:MOST]
        return [self._codes[i] for i in largest.tolist() if share[i] >= LEAST]

    def _typical(self, x: Matrix) -> npt.NDArray[np.bool_]:
        b = self._baseline
        alike: npt.NDArray[np.bool_] = (x == b) | (np.isnan(x) & np.isnan(b))
        return alike

    def _of(self, x: Matrix, asked: npt.NDArray[np.bool_]) -> Matrix:
        """[n] contributions of the features `asked` for, 0 of others."""
        places, b = np.flatnonzero(asked), self._baseline
        found, count = np.zeros(len(x), dtype=np.float32), len(places)
        if not count:
            return found
        size = next(size for size in self._sizes if size >= 2 + 2 * count)
        # Row 0 is x, then x without each feature, then b with each, then b to the end.
        rows = np.empty((size, len(x)), dtype=np.float32)
        without, alone = rows[1 : 1 + count], rows[1 + count : 1 + 2 * count]
        rows[: 1 + count], rows[1 + count :] = x, b
        own = np.arange(count)
        without[own, places], alone[own, places] = b[places], x[places]
        logits = self._run(rows)[:, LOGIT]
        taken, added = logits[1 : 1 + count], logits[1 + count : 1 + 2 * count]
        found[places] = (logits[0] - taken + added - logits[-1]) / np.float32(2)
        return found


def batch_sizes(features: int) -> list[int]:
    """Ascending: few, for a graph is made for each; the last takes all features."""
    asked = sorted({-(-features * part // _PARTS) for part in range(1, _PARTS + 1)} - {0})
    return [2 + 2 * count for count in asked]
