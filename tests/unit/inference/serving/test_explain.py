"""Contributions agree with the formula, for typical and unknown values too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.serving.explain import Explainer, batch_sizes
from inference.serving.graph import Matrix, as_row

WIDTH = 9
NAMES = [f"feature_{n}" for n in range(WIDTH)]
BASELINE = as_row([None if n % 4 == 3 else float(n) for n in range(WIDTH)])
# Typical values are drawn often, and the baseline's own unknown ones too.
rows = st.tuples(
    *(st.one_of(st.just(b), st.none(), st.floats(-3, 20, width=32)) for b in BASELINE[0].tolist())
).map(as_row)


def logits(inputs: Matrix) -> Matrix:
    """[n]: not a sum over features, so that each one's part depends on the others."""
    known = np.where(np.isnan(inputs), -1.0, inputs).astype(np.float64)
    weights = np.linspace(-1, 1, WIDTH)
    result: Matrix = np.tanh(known @ weights) + np.sin(known[:, 0] * known[:, 1])
    return result


class Model:
    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, inputs: Matrix) -> Matrix:
        self.batches.append(len(inputs))
        return np.stack([np.zeros(len(inputs)), logits(inputs)], axis=1)


def by_definition(row: Matrix) -> np.ndarray:
    found = np.zeros(WIDTH)
    for j in range(WIDTH):
        without, alone = row.copy(), BASELINE.copy()
        without[0, j], alone[0, j] = BASELINE[0, j], row[0, j]
        taken = logits(row)[0] - logits(without)[0]
        found[j] = (taken + logits(alone)[0] - logits(BASELINE)[0]) / 2
    return found


@given(row=rows)
def test_contributions_are_those_of_the_definition(row: Matrix) -> None:
    model = Model()
    found = Explainer(model, NAMES, BASELINE).contributions(row)
    assert found == pytest.approx(by_definition(row), rel=1e-5, abs=1e-5)
    assert set(model.batches) <= set(batch_sizes(WIDTH))


@given(row=rows)
def test_reasons_are_the_largest_contributions_of_what_is_known(row: Matrix) -> None:
    share = np.where(np.isnan(row[0]), 0, by_definition(row))
    told = Explainer(Model(), NAMES, BASELINE).reasons(row)
    assert [share[NAMES.index(code.removeprefix("model."))] for code in told] == pytest.approx(
        [each for each in sorted(share, reverse=True)[:3] if each >= 0.1], rel=1e-5
    )


def test_few_features_beside_typical_ones_take_a_small_batch() -> None:
    model, row = Model(), BASELINE.copy()
    row[0, 0] += 1
    Explainer(model, NAMES, BASELINE).reasons(row)
    Explainer(model, NAMES, BASELINE).reasons(BASELINE)
    assert model.batches == [batch_sizes(WIDTH)[0]]


@given(features=st.integers(1, 300))
def test_batches_are_few_and_the_last_takes_all_features(features: int) -> None:
    sizes = batch_sizes(features)
    assert len(sizes) <= 8
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 2 + 2 * features
