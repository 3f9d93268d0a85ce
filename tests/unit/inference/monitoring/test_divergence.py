"""Laws of the divergences; differences by chance are not drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.monitoring.divergence import divergence
from inference.monitoring.limits import Limits

COUNTS = st.lists(st.integers(0, 10_000), min_size=2, max_size=12).filter(any)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    before = draw(COUNTS)
    live = draw(
        st.lists(st.integers(0, 10_000), min_size=len(before), max_size=len(before)).filter(any)
    )
    return np.array(before, float), np.array(live, float)


@given(COUNTS)
def test_equal_histograms_do_not_diverge(counts: list[int]) -> None:
    found = divergence(np.array(counts, float), np.array(counts, float))
    assert found.psi == pytest.approx(0, abs=1e-12)
    assert found.js == pytest.approx(0, abs=1e-6)
    assert found.p_value == pytest.approx(1)


@given(pairs())
def test_which_one_is_the_older_makes_no_difference(pair: tuple[np.ndarray, np.ndarray]) -> None:
    there, back = divergence(*pair), divergence(*reversed(pair))
    assert there.psi == pytest.approx(back.psi)
    assert there.js == pytest.approx(back.js, abs=1e-9)


@given(pairs())
def test_it_is_finite_and_bounded_with_empty_bins(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = divergence(*pair)
    assert 0 <= found.psi < np.inf
    assert 0 <= found.js <= 1
    assert 0 <= found.p_value <= 1


@given(pairs(), st.randoms(use_true_random=False))
def test_bins_count_in_any_order(pair: tuple[np.ndarray, np.ndarray], random: object) -> None:
    order = np.random.default_rng(random.randrange(2**32)).permutation(len(pair[0]))  # type: ignore[attr-defined]
    mixed = divergence(pair[0][order], pair[1][order])
    assert mixed.psi == pytest.approx(divergence(*pair).psi)


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=8), st.integers(2, 8))
def test_merging_bins_never_adds_to_it(counts: list[int], other: int) -> None:
    before = np.array(counts, float)
    live = np.roll(before, other)
    merged = [np.concatenate([[x[0] + x[1]], x[2:]]) for x in (before, live)]
    assert divergence(*merged).psi <= divergence(before, live).psi + 1e-9


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.09))
def test_it_grows_with_the_share_that_has_moved(first: float, more: float) -> None:
    before = np.array([5000.0, 5000.0, 5000.0, 5000.0])

    def moved(share: float) -> float:
        taken = before[0] * share
        return divergence(before, before + np.array([-taken, 0, 0, taken])).psi

    assert moved(first) < moved(first + more)


def test_it_is_the_sum_of_the_textbook() -> None:
    before, live = np.array([100.0, 300, 600]), np.array([200.0, 300, 500])
    p, q = before / 1000, live / 1000
    assert divergence(before, live).psi == pytest.approx(((p - q) * np.log(p / q)).sum())


@pytest.mark.parametrize("size", [100, 1000, 20_000])
def test_samples_of_one_population_differ_by_what_chance_is_expected_to_do(size: int) -> None:
    random = np.random.default_rng(size)
    even = np.full(10, 0.1)
    found = [
        divergence(
            random.multinomial(50_000, even).astype(float),
            random.multinomial(size, even).astype(float),
        )
        for _ in range(300)
    ]
    expected = found[0].by_chance
    assert np.mean([each.psi for each in found]) == pytest.approx(expected, rel=0.15)
    assert np.mean([each.p_value < 0.05 for each in found]) == pytest.approx(0.05, abs=0.04)


def test_samples_of_one_population_seldom_count_as_drift() -> None:
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(10))
    limits = Limits(psi_warn=0.01, psi_alert=0.02)
    levels = [
        limits.of_psi(found.psi, found.p_value, tests=93)
        for _ in range(1000)
        for found in [
            divergence(
                random.multinomial(50_000, shares).astype(float),
                random.multinomial(500, shares).astype(float),
            )
        ]
    ]
    assert levels.count("steady") >= 995
