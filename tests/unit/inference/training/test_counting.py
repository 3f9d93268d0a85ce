"""Boosted trees count in full where that ranks held-out payments better, and little otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.evaluation.gate.resampling import Interval
from inference.frame.frame import Frame, split_by_time
from inference.serving.forest.forest import Forest, log_odds
from inference.serving.graph import as_rows
from inference.training import counting
from inference.training.counting import IN_FULL, LITTLE, Count, Counted, counted
from inference.training.fitting.fit import Fit, Run, grown
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainSettings, fits_of, train
from tests.builders.training_frames import synthetic

QUICK = FitSettings(trees=20)


def silent(_done: float, _text: str) -> None:
    return None


def of_many_signs(rows: int = 12_000, strength: float = 0.7) -> Frame:
    """Fraud at 10 %, each of twenty features telling a little of it: a sum, which averaged trees
    of ten comparisons cannot see."""
    random = np.random.default_rng(3)
    fraud = random.random(rows) < 0.1
    vectors = random.normal(size=(rows, 20)) + strength * fraud[:, None]
    names = tuple(f"sign_{number}" for number in range(20))
    labels = fraud.astype(np.float64)
    return replace(synthetic(rows), vectors=vectors, labels=labels, names=names, definitions=())


def judged(frame: Frame) -> Counted:
    fits = fits_of(frame, TrainSettings(fitting=QUICK, more_seeds=0))
    return counted(grown(fits.first, QUICK, silent, Run()), fits.later)


def test_they_count_in_full_where_they_rank_better() -> None:
    assert judged(of_many_signs()).count == IN_FULL


def test_they_count_in_full_where_few_frauds_say_that_they_rank_better() -> None:
    """By chance it may be otherwise, and then little is lost."""
    found = judged(of_many_signs(rows=2500, strength=0.3))
    assert found.count == IN_FULL
    assert found.gain.low < 0 < found.gain.value


def test_they_count_little_where_they_rank_worse() -> None:
    found = judged(of_many_signs(rows=2500, strength=0.05))
    assert found.count == LITTLE
    assert found.gain.value < 0


@pytest.mark.parametrize(("gained", "count"), [(0.02, IN_FULL), (0.005, LITTLE), (-0.02, LITTLE)])
def test_they_count_in_full_where_that_gains_more_than_it_may_lose(
    gained: float, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However wide the interval is."""
    monkeypatch.setattr(counting, "interval", lambda _: Interval(gained, -0.1, 0.1))
    assert judged(of_many_signs(rows=2500)).count == count


def test_what_is_measured_is_exported_and_said() -> None:
    settings = TrainSettings(fitting=replace(QUICK, trees=5), more_seeds=1)
    trained = train(of_many_signs(4000, strength=0.8), settings, silent)
    facts = trained.manifest.facts
    assert facts["boosting"]["count"] == {"boosted": IN_FULL.boosted, "weight": IN_FULL.weight}
    assert facts["boosting"]["gain"]["low"] > 0
    # Fits of other seeds count as the one that is measured.
    first, other = (each["average_precision"] for each in facts["stability"]["seeds"])
    assert other == pytest.approx(first, abs=0.05)


@given(st.integers(0, 12), st.sampled_from([0.1, 1.0]))
def test_the_first_trees_count_with_a_part_of_what_they_add(boosted: int, weight: float) -> None:
    rows = as_rows(ROWS.vectors)
    some = FOREST.counting(boosted, weight)
    assert (some.averaged, some.boosted) == (FOREST.averaged, min(boosted, 10))
    every = log_odds(FOREST.shares(rows))
    for number in range(some.boosted):
        every += weight * FOREST._sums(rows, FOREST.roots[[FOREST.averaged + number]])
    assert some.logits(rows) == pytest.approx(every, abs=1e-5)
    assert Forest.from_bytes(some.to_bytes()).logits(rows) == pytest.approx(some.logits(rows))


def test_fewer_boosted_trees_are_the_first_of_more() -> None:
    few = grown(
        Fit("some", split_by_time(ROWS)[0], 1), FitSettings(trees=5, boosted=4), silent, Run()
    )
    assert FOREST.counting(4, 1.0).to_bytes() == few.to_bytes()


def test_trees_that_are_averaged_alone_stay_as_they_are() -> None:
    alone = FOREST.counting(0, 1.0)
    assert alone.counting(40, 0.1).to_bytes() == alone.to_bytes()


ROWS = synthetic(1500)
FOREST = grown(
    Fit("some", split_by_time(ROWS)[0], 1), FitSettings(trees=5, boosted=10), silent, Run()
)
