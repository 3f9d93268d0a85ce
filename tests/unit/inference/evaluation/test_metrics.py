"""Metrics of a ranking agree with their definitions, written as loops."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inference.evaluation.metrics import auc, average_precision, precision_at, recall_at
from inference.frame.frame import Floats

rankings = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]), st.integers(1, 3)),
    min_size=2,
    max_size=20,
).filter(lambda rows: {label for label, _, _ in rows} == {0, 1})


def arrays(rows: list[tuple[int, float, int]]) -> tuple[Floats, Floats, Floats]:
    labels, scores, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return labels, scores, weights


@given(rankings)
def test_auc_is_the_chance_that_fraud_scores_higher(rows: list[tuple[int, float, int]]) -> None:
    labels, scores, weights = arrays(rows)
    won = total = 0.0
    for label, score, weight in rows:
        for other_label, other, other_weight in rows:
            if label == 1 and other_label == 0:
                total += weight * other_weight
                won += weight * other_weight * (1.0 if score > other else 0.5 * (score == other))
    assert auc(labels, scores, weights) == pytest.approx(won / total, abs=1e-12)


@given(rankings)
def test_average_precision_sums_over_distinct_scores(rows: list[tuple[int, float, int]]) -> None:
    labels, scores, weights = arrays(rows)
    expected = recall_before = 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        recall = weights[(labels == 1) & (scores >= threshold)].sum() / weights[labels == 1].sum()
        precision = precision_at(labels, scores, threshold, weights)
        expected, recall_before = expected + precision * (recall - recall_before), recall
    assert average_precision(labels, scores, weights) == pytest.approx(expected, abs=1e-12)


@given(rankings)
def test_a_weight_stands_for_so_many_equal_rows(rows: list[tuple[int, float, int]]) -> None:
    labels, scores, weights = arrays(rows)
    repeated = weights.astype(int)
    long = np.repeat(labels, repeated), np.repeat(scores, repeated)
    assert auc(labels, scores, weights) == pytest.approx(auc(*long))
    assert average_precision(labels, scores, weights) == pytest.approx(average_precision(*long))


@given(rankings)
def test_a_perfect_ranking_has_the_greatest_measures(rows: list[tuple[int, float, int]]) -> None:
    labels, _, weights = arrays(rows)
    assert auc(labels, labels, weights) == average_precision(labels, labels, weights) == 1.0
    assert recall_at(labels, labels, 1.0) == precision_at(labels, labels, 1.0) == 1.0


def test_precision_is_zero_where_nothing_reaches_the_threshold() -> None:
    assert precision_at(np.array([1.0, 0.0]), np.array([0.1, 0.2]), 0.5) == 0.0


@given(rankings, st.floats(0, 1))
def test_a_higher_threshold_never_finds_more(
    rows: list[tuple[int, float, int]], threshold: float
) -> None:
    assume(threshold > 0)
    labels, scores, _ = arrays(rows)
    assert recall_at(labels, scores, threshold) <= recall_at(labels, scores, threshold / 2)
