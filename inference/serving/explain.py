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
from inference.serving.forest.forest import Floats, Forest, log_odds
from inference.serving.forest.walks import Walks
from inference.serving.graph import Matrix, as_row

MOST = 3
LEAST = 0.1  # logits, a tenth of the odds


class Explainer:
    """Deterministic: it walks the trees of the model itself. Thread-safe."""

    def __init__(
        self, forest: Forest, slope: float, names: Sequence[str], baseline: Matrix
    ) -> None:
        """`slope` is that of the calibration; `baseline` is [1, features]."""
        self._walks = Walks(forest, np.ascontiguousarray(baseline[0]))
        self._averaged, self._slope = forest.averaged, slope
        self._codes = [f"model.{name}" for name in names]
        # The first decision has no time to load compiled code.
        self.reasons(baseline)

    def contributions(self, row: Matrix) -> Floats:
        """[n] in logits, in the order of the features; `row` is [1, n]."""
        return self._of(row[0], unknown=True)

    def reasons(self, row: Matrix) -> list[str]:
        """Codes of the MOST largest contributions of LEAST or more; ties by feature order.

        An unknown value is no reason; flags on the decision say that it is missing.
        """
        share = self._of(row[0], unknown=False)
        largest = np.argsort(-share, kind="stable")[:MOST]
        return [self._codes[i] for i in largest.tolist() if share[i] >= LEAST]

    def _of(self, x: Matrix, *, unknown: bool) -> Floats:
        """[n] contributions; 0 of what is typical, and of what is not known unless asked for."""
        said, moved = self._walks.changes(x, unknown)
        averaged, added_up = self._averaged, np.add.reduce
        # Row by row: over both at once, the order of a sum would be numpy's to choose.
        means = np.array([[added_up(said[0])], [added_up(said[1])]]) / averaged
        odds = log_odds(np.concatenate([means, means + moved[:, 0] / averaged], axis=1))
        taken, added = odds[:, 1:] - odds[:, :1] + moved[:, 1]
        contributions: Floats = self._slope * (added - taken) / 2
        return contributions


def explainer_of(artefact: Artefact) -> Explainer:
    """Of the trees in the artefact, whoever computes its scores."""
    manifest = artefact.manifest
    forest, baseline = Forest.from_bytes(artefact.forest), as_row(manifest.baseline)
    return Explainer(forest, manifest.calibration.slope, manifest.feature_names, baseline)
