"""Owns which features raised a score; the words for them are domain.policy.reasons'.

Against a typical genuine vector b, feature j of vector x contributes (in logits)

    ( f(x) - f(x with b_j)  +  f(b with x_j) - f(b) ) / 2

the mean of taking it away last and of adding it first: the two ends of its Shapley value (Strumbelj
and Kononenko 2014), so that one of two features that say the same is not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from inference.graph import LOGIT, Matrix

MOST = 3
LEAST = 0.1  # logits: less than a tenth in the odds is no reason


class Explainer:
    """Deterministic: contributions come from one batch of fixed size through the model itself."""

    def __init__(
        self, run: Callable[[Matrix], Matrix], names: Sequence[str], baseline: Matrix
    ) -> None:
        """`run` is the model for batches of `batch_size(len(names))` rows; `baseline` is [1, n]."""
        self._run = run
        self._codes = [f"model.{name}" for name in names]
        self._baseline = baseline[0]
        self._own = np.arange(len(names))

    def contributions(self, row: Matrix) -> Matrix:
        """[n] in logits, in the order of the features; `row` is [1, n]."""
        width, x, b = len(self._codes), row[0], self._baseline
        # Row 0 is x, row 1 is b, then x without each feature, then b with each feature.
        rows = np.empty((batch_size(width), width), dtype=np.float32)
        rows[0], rows[1] = x, b
        without, alone = rows[2 : 2 + width], rows[2 + width :]
        without[:] = x
        without[self._own, self._own] = b
        alone[:] = b
        alone[self._own, self._own] = x
        logits = self._run(rows)[:, LOGIT]
        of_x, of_b = logits[0], logits[1]
        result: Matrix = (of_x - logits[2 : 2 + width] + logits[2 + width :] - of_b) / np.float32(2)
        return result

    def reasons(self, row: Matrix) -> list[str]:
        """Codes of the MOST largest contributions of LEAST or more; ties by feature order.

        What is unknown is no reason: nothing can be said of it, and flags tell that it is missing.
        """
        share = np.where(np.isnan(row[0]), np.float32(0), self.contributions(row))
        largest = np.argsort(-share, kind="stable")[:MOST]
        return [self._codes[i] for i in largest.tolist() if share[i] >= LEAST]


def batch_size(features: int) -> int:
    return 2 + 2 * features
