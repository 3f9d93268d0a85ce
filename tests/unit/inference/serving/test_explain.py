"""Contributions agree with the formula, for typical and unknown values too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.serving.explain import Explainer
from inference.serving.forest.forest import Forest
from inference.serving.graph import Matrix, as_row
from inference.training.fitting.fit import Fit, Run, grown
from inference.training.fitting.trees import FitSettings
from tests.builders.training_frames import NAMES, synthetic

WIDTH = len(NAMES)
SLOPE = 1.7
BASELINE = as_row([4000.0, 1.0, 0.0, None, 0.1, -3e8])
# Typical values are drawn often, and unknown and extreme ones too.
rows = st.tuples(
    *(
        st.one_of(st.just(b), st.none(), st.sampled_from([0.0, 1.0, 7.0, 5e4, -1e9, np.inf]))
        for b in BASELINE[0].tolist()
    )
).map(as_row)


@pytest.fixture(scope="module")
def forest() -> Forest:
    return grown(Fit("all", synthetic(), 3), FitSettings(trees=30), lambda *_: None, Run())


@pytest.fixture(scope="module")
def explainer(forest: Forest) -> Explainer:
    return Explainer(forest, SLOPE, NAMES, BASELINE)


def by_definition(forest: Forest, row: Matrix) -> np.ndarray:
    found = np.zeros(WIDTH)
    for j in range(WIDTH):
        without, alone = row.copy(), BASELINE.copy()
        without[0, j], alone[0, j] = BASELINE[0, j], row[0, j]
        x, x_without, b_with, b = (
            float(forest.logits(each)[0]) for each in (row, without, alone, BASELINE)
        )
        found[j] = SLOPE * (x - x_without + b_with - b) / 2
    return found


@given(row=rows)
def test_contributions_are_those_of_the_definition(
    forest: Forest, explainer: Explainer, row: Matrix
) -> None:
    found = explainer.contributions(row)
    assert found == pytest.approx(by_definition(forest, row), rel=1e-9, abs=1e-9)


@given(row=rows)
def test_reasons_are_the_largest_contributions_of_what_is_known(
    forest: Forest, explainer: Explainer, row: Matrix
) -> None:
    share = np.where(np.isnan(row[0]), 0, by_definition(forest, row))
    told = explainer.reasons(row)
    assert [share[NAMES.index(code.removeprefix("model."))] for code in told] == pytest.approx(
        [each for each in sorted(share, reverse=True)[:3] if each >= 0.1], rel=1e-9
    )


def test_a_typical_payment_has_no_reasons(explainer: Explainer) -> None:
    assert not explainer.contributions(BASELINE).any()
    assert explainer.reasons(BASELINE) == []


def test_trees_without_a_comparison_have_no_reasons() -> None:
    bare = Forest(
        np.zeros(1, np.int32), np.zeros(1, np.int32), np.full(1, np.inf, np.float32),
        np.zeros(1, np.int32), np.full(1, 0.2, np.float32),
    )  # fmt: skip
    assert bare.depth == 0
    assert Explainer(bare, SLOPE, NAMES, BASELINE).reasons(as_row([1.0] * WIDTH)) == []
