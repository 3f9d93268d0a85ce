"""Training loop: the part of each worker in a batch, and the dropout of its rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.serving.network.dropout import dropout, rows_of
from inference.serving.network.embedding import embedding
from inference.serving.network.tensorflow_setup import seed_all, start
from inference.training.fitting.batches import Batches, batches_of
from inference.training.fitting.cluster import Cluster
from tests.builders.training_frames import synthetic

RUN = 3
ROWS = 50


def batches(genuine_at_once: int = 400_000) -> Batches:
    return batches_of(synthetic(1000, labelled=0.7), RUN, genuine_at_once, 0.3)


def parts(epoch: int, cluster: Cluster) -> list[tuple[np.ndarray, ...]]:
    return [tuple(np.asarray(one) for one in part) for part in batches().of_epoch(epoch, cluster)]


@given(rows=st.integers(0, 5000), workers=st.integers(1, 9))
def test_the_parts_of_all_workers_are_the_batch(rows: int, workers: int) -> None:
    slices = [Cluster(workers, index).part(rows) for index in range(workers)]
    taken = [number for part in slices for number in range(rows)[part]]
    assert taken == list(range(rows))
    assert max(len(range(rows)[s]) for s in slices) - min(len(range(rows)[s]) for s in slices) <= 1


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_see_together_the_batches_of_one(workers: int) -> None:
    alone = parts(2, Cluster())
    each = [parts(2, Cluster(workers, index)) for index in range(workers)]
    assert {len(one) for one in each} == {len(alone)}
    for number, whole in enumerate(alone):
        for column in range(3):
            joined = np.concatenate([one[number][column] for one in each])
            np.testing.assert_array_equal(joined, whole[column])
        firsts = [int(one[number][3]) for one in each]
        assert firsts == list(np.cumsum([0, *(len(one[number][0]) for one in each)])[:-1])
        assert {float(one[number][4]) for one in each} == {float(len(whole[0]))}


def test_an_epoch_takes_each_labelled_row_once_and_another_epoch_in_another_order() -> None:
    frame = synthetic(1000, labelled=0.7)
    made = batches_of(frame, RUN, 400_000, 0.0)
    amounts = [
        np.concatenate([np.asarray(part[0])[:, 4] for part in made.of_epoch(epoch, Cluster())])
        for epoch in (1, 2)
    ]
    wanted = np.sort(frame.vectors[~np.isnan(frame.labels), 4].astype(np.float32))
    np.testing.assert_array_equal(np.sort(amounts[0]), wanted)
    np.testing.assert_array_equal(np.sort(amounts[1]), wanted)
    assert not np.array_equal(amounts[0], amounts[1], equal_nan=True)


def test_genuine_rows_beyond_the_bound_are_drawn_and_weigh_as_much_as_all() -> None:
    every, some = batches(), batches(genuine_at_once=100)
    taken = [np.asarray(part[1]) for part in some.of_epoch(1, Cluster())]
    labels = np.concatenate(taken)
    assert (labels == 1).sum() == (every.labels == 1).sum()
    assert (labels == 0).sum() == 100
    genuine = every.labels == 0
    assert some.weights[genuine][0] * 100 == pytest.approx(every.weights[genuine].sum())


@pytest.mark.parametrize("width", [5, 8])
def test_dropout_draws_for_a_row_what_it_is_in_its_batch_not_who_computes_it(width: int) -> None:
    tf = start()
    seed_all(RUN)
    layer = dropout(0.4)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def drawn(step: Any, first: Any, rows: Any) -> Any:
        with rows_of(step, first):
            return layer(tf.ones([rows, width]), training=True)

    def of(step: int, first: int, rows: int) -> np.ndarray:
        return np.asarray(drawn(tf.constant(step), tf.constant(first), tf.constant(rows)))

    whole = of(7, 0, ROWS)
    assert set(np.unique(whole)) == {np.float32(0), np.float32(1 / 0.6)}
    assert 0.4 < (whole > 0).mean() < 0.8
    np.testing.assert_array_equal(of(7, 0, 20), whole[:20])
    np.testing.assert_array_equal(of(7, 20, 30), whole[20:])
    assert not np.array_equal(of(8, 0, ROWS), whole)
    assert np.array_equal(np.asarray(layer(np.ones((2, width)))), np.ones((2, width)))


@pytest.mark.parametrize("compiled", [True, False])
def test_what_training_looks_up_is_what_serving_multiplies(compiled: bool) -> None:
    """Below, between, on and beyond knots, of which some are equal, and unknown values."""
    knots = np.array([[0, 1, 2, 3, 4], [0, 1, 1, 1, 1], [5, 5, 5, 5, 5], [-3, -3, 0, 2, 2]], "f")
    values = np.array([-np.inf, -4, -3, -1, 0, 0.25, 1, 1.5, 2, 3, 4, 5, 6, np.inf, np.nan], "f")
    seed_all(RUN)
    layer = embedding(knots, 6, compiled)
    inputs = np.stack([values] * len(knots), axis=1)
    layer(inputs)
    layer.bias.assign(np.random.default_rng(RUN).normal(size=layer.bias.shape))
    served, learnt = np.asarray(layer(inputs)), np.asarray(layer(inputs, training=True))
    np.testing.assert_allclose(learnt, served, rtol=1e-5, atol=1e-6)
