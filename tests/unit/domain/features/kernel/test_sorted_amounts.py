"""Sorted amounts taken over from the window before: those of sorting, whatever was asked before."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.features.kernel.layout import S_CACHE, S_STRIDE, S_WIDTH
from domain.features.kernel.stores.sorted_amounts import MOST_MOVED, sorted_amounts
from domain.features.kernel.stores.values import core, nearest_deviation
from tests.builders.feature_streams import examples

STRIDE = 32
AMOUNTS = st.integers(0, 5)
STEPS = st.tuples(
    st.integers(0, MOST_MOVED + 2), st.lists(AMOUNTS, max_size=MOST_MOVED + 2), st.integers(0, 9)
)


@examples(200)
@given(st.lists(STEPS, max_size=12))
def test_each_window_is_sorted_as_if_it_were_the_first(
    steps: list[tuple[int, list[int], int]],
) -> None:
    """Some leave at the front, some come behind; now and then one in the midst is another."""
    stores = np.zeros((1, S_WIDTH), dtype=np.int64)
    stores[0, S_STRIDE], stores[0, S_CACHE] = STRIDE, 3
    spare = np.zeros(4 + 2 * STRIDE, dtype=np.int64)
    window: list[int] = []
    for gone, more, changed in steps:
        window = [*window[gone:], *more][-STRIDE:]
        if changed < len(window):
            window[changed] = 6
        mem = np.array([9, *window, 9], dtype=np.int64)
        found = sorted_amounts(stores, 0, mem, 1, len(window), spare)
        assert found.tolist() == sorted(window)


@examples(200)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.data())
def test_deviations_and_cores_are_those_of_the_sorted_values(
    amounts: list[int], data: st.DataObject
) -> None:
    values = np.array(sorted(amounts), dtype=np.int64)
    rank = data.draw(st.integers(0, len(values) - 1))
    distances = sorted(abs(each - int(values[rank])) for each in values.tolist())
    assert nearest_deviation(values, len(values), rank) == distances[rank]
    most = data.draw(st.integers(-1, 10))
    kept = [each for each in amounts if each <= most]
    assert core(values, len(values), most) == (len(kept), sum(kept))
