"""Intervals of proportions are as wide as the independent rows behind them allow."""

import numpy as np
import pytest

from inference.proportions import proportion


def test_rows_alone_give_wilsons_interval() -> None:
    found = proportion(np.arange(20) < 3)
    assert found is not None
    assert (found.share, found.rows) == (0.15, 20)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3604), abs=1e-4)
    assert proportion(np.zeros(0, bool)) is None
    assert proportion(np.ones(3, bool), np.zeros(3)) is None


def test_rows_that_say_the_same_count_once() -> None:
    hits = np.random.default_rng(1).random(200) < 0.3
    alone = proportion(hits)
    tenfold = proportion(np.repeat(hits, 10), clusters=np.repeat(np.arange(200), 10))
    weighty = proportion(hits, np.full(200, 7.0))
    assert alone is not None
    assert tenfold is not None
    assert tenfold.rows == pytest.approx(alone.rows, rel=0.02)
    assert weighty == alone


def test_nothing_found_is_no_certainty_where_all_are_of_one_card() -> None:
    one = proportion(np.zeros(50, bool), clusters=np.zeros(50))
    assert one is not None
    assert (one.rows, one.low) == (1, 0)
    assert one.high > 0.7
    five = proportion(np.ones(50, bool), clusters=np.arange(50) % 5)
    assert five is not None
    assert five.rows == pytest.approx(5)


def test_the_interval_of_clustered_rows_covers_the_share_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        of_card = random.beta(1.2, 0.8, 60)
        cards = np.repeat(np.arange(60), random.integers(1, 8, 60))
        found = proportion(random.random(len(cards)) < of_card[cards], clusters=cards)
        assert found is not None
        covered += found.low <= 0.6 <= found.high
    assert covered >= 0.92 * 400
