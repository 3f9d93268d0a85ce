"""Explanations: the features that raised a score. Their words are in domain.policy.reasons.

Against a typical genuine vector b, feature j of vector x contributes (in logits)

    ( f(x) - f(x with b_j)  +  f(b with x_j) - f(b) ) / 2

the mean of taking it away last and of adding it first: the two ends of its Shapley value (Strumbelj
and Kononenko 2014), so that one of two features that say the same is not lost. Ours, because a
decision records its reasons and replay must find the same ones: SHAP's samplers draw at random.
"""

from collections.abc import Sequence

import numpy as np

from inference.artefacts.store import Artefact
from inference.serving.forest.forest import Floats, Forest, log_odds, sided
from inference.serving.forest.walks import Bools, changes
from inference.serving.graph import Matrix, as_row

MOST = 3
LEAST = 0.1  # logits, a tenth of the odds


class Explainer:
    """Deterministic: it walks the trees of the model itself. Thread-safe."""

    def __init__(
        self, forest: Forest, slope: float, names: Sequence[str], baseline: Matrix
    ) -> None:
        """`slope` is that of the calibration; `baseline` is [1, features]."""
        self._forest, self._slope = forest, slope
        self._codes = [f"model.{name}" for name in names]
        self._baseline = baseline[0]
        self._said = forest.says.astype(np.float64)
        # The first decision has no time to load compiled code.
        self.reasons(baseline)

    def contributions(self, row: Matrix) -> Floats:
        """[n] in logits, in the order of the features; `row` is [1, n]."""
        return self._of(row[0], ~self._typical(row[0]))

    def reasons(self, row: Matrix) -> list[str]:
        """Codes of the MOST largest contributions of LEAST or more; ties by feature order.

        An unknown value is no reason; flags on the decision say that it is missing.
        """
        share = self._of(row[0], ~(self._typical(row[0]) | np.isnan(row[0])))
        largest = np.argsort(-share, kind="stable")[:MOST]
        return [self._codes[i] for i in largest.tolist() if share[i] >= LEAST]

    def _typical(self, x: Matrix) -> Bools:
        b = self._baseline
        alike: Bools = (x == b) | (np.isnan(x) & np.isnan(b))
        return alike

    def _of(self, x: Matrix, asked: Bools) -> Floats:
        """[n] contributions of the features `asked` for, 0 of others."""
        mine, typical = sided(np.stack([x, self._baseline]))
        taken = self._change(mine, typical, asked)
        added = self._change(typical, mine, asked)
        contributions: Floats = self._slope * (added - taken) / 2
        return contributions

    def _change(self, row: Matrix, other: Matrix, asked: Bools) -> Floats:
        """[n] by how much the log odds of `row` change with each feature's value of `other`.

        Both are [2 n], each value on its two sides.
        """
        leaves, (shares, added) = changes(self._forest, self._said, row, other, asked)
        averaged = self._forest.averaged
        mean = self._said[leaves[:averaged]].mean()
        change: Floats = log_odds(mean + shares / averaged) - log_odds(mean) + added
        return change


def explainer_of(artefact: Artefact) -> Explainer:
    """Of the trees in the artefact, whoever computes its scores."""
    manifest = artefact.manifest
    forest, baseline = Forest.from_bytes(artefact.forest), as_row(manifest.baseline)
    return Explainer(forest, manifest.calibration.slope, manifest.feature_names, baseline)
