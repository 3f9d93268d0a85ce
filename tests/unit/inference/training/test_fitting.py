"""Trees: their rows, their nodes as scikit-learn has them, and their division among workers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from domain.errors import UnavailableError
from inference.frame.frame import Frame
from inference.serving.forest.forest import Forest, joined, log_odds
from inference.serving.graph import as_rows
from inference.training.fitting.boosting import added_by, boosted
from inference.training.fitting.fit import Fit, Run, Workers, grow, grown
from inference.training.fitting.kept_trees import KeptTrees
from inference.training.fitting.trees import FitSettings, Growing, flattened
from tests.builders.training_frames import synthetic

TREES = FitSettings(trees=35)


def silent(_done: float, _text: str) -> None:
    return None


def growing(frame: Frame, genuine: int = 1000, frauds: int = 50, blanked: float = 0.1) -> Growing:
    chosen = FitSettings(
        genuine=genuine, least_frauds=frauds, blanked_rows=blanked, depth=8, leaf=5
    )
    return Growing(frame, chosen)


def fit(frame: Frame, seed: int = 3) -> Fit:
    return Fit("all", frame, seed)


@given(workers=st.integers(1, 9), blocks=st.integers(0, 60))
def test_the_parts_of_all_workers_are_the_blocks(workers: int, blocks: int) -> None:
    parts = [list(Workers(workers, index).mine(blocks)) for index in range(workers)]
    assert sorted(number for part in parts for number in part) == list(range(blocks))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_workers_grow_together_the_bits_of_one(workers: int) -> None:
    frame, kept = synthetic(1500), KeptTrees()
    for index in reversed(range(workers)):
        grow(fit(frame), TREES, silent, Run(Workers(workers, index), kept))
    together = grown(fit(frame), TREES, silent, Run(Workers(workers), kept))
    alone = grown(fit(frame), TREES, silent, Run(threads=1))
    assert together.to_bytes() == alone.to_bytes()
    assert (alone.averaged, alone.boosted) == (TREES.trees, TREES.boosted)


def test_another_seed_and_another_number_give_another_tree() -> None:
    made = growing(synthetic(1500))
    trees = {made.tree(seed, number).to_bytes() for seed in (1, 2) for number in (0, 1)}
    assert len(trees) == 4
    assert made.tree(1, 0).to_bytes() in trees


numbers = st.one_of(st.none(), st.floats(-(2.0**99), 2.0**99, width=32), st.integers(-3, 3))
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.tuples(st.booleans(), st.lists(numbers, min_size=width, max_size=width)),
        min_size=4,
        max_size=60,
    )
)


@given(tables, st.integers(1, 4))
def test_a_tree_leads_rows_to_the_leaves_of_scikit_learn(
    table: list[tuple[bool, list[float | None]]], leaf: int
) -> None:
    rows = np.array([values for _, values in table], dtype=np.float64).astype(np.float32)
    labels = np.array([fraud for fraud, _ in table], dtype=float)
    labels[:2] = 0, 1
    theirs = DecisionTreeClassifier(min_samples_leaf=leaf, random_state=0).fit(rows, labels)
    ours = flattened(theirs.tree_, 1e-9)
    assert ours.depth == theirs.get_depth()
    assert ours.shares(rows) == pytest.approx(theirs.predict_proba(rows)[:, 1], abs=1e-6)


@given(tables)
def test_boosted_trees_add_what_scikit_learn_adds(
    table: list[tuple[bool, list[float | None]]],
) -> None:
    rows = np.array([values for _, values in table], dtype=np.float64).astype(np.float32)
    labels = np.array([fraud for fraud, _ in table], dtype=float)
    labels[:2] = 0, 1
    assume(not np.isnan(rows).all(axis=0).any())
    theirs = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=1).fit(rows, labels)
    added = added_by(theirs)
    assert (added.averaged, added.boosted) == (0, 3)
    beside = joined(
        [flattened(DecisionTreeClassifier(max_depth=1).fit(rows, labels).tree_, 9), added]
    )
    apart = beside.logits(rows) - log_odds(beside.shares(rows))
    constant = np.log(labels.sum() / (1 - labels).sum())
    assert apart == pytest.approx(theirs.decision_function(rows) - constant, abs=1e-4)


def test_boosted_trees_learn_from_so_many_rows_and_weigh_what_they_stand_for() -> None:
    frame = synthetic(6000)
    small = (frame.labels == 0) & (frame.vectors[:, 0] < 3000)
    heavy = replace(frame, stands_for=np.where(small, 50.0, 1.0))
    one = [boosted(of, FitSettings(boosted=1), 1) for of in (frame, heavy, frame)]
    assert one[0].to_bytes() == one[2].to_bytes() != one[1].to_bytes()
    frame.vectors[:, 3] = np.nan  # known of none of the rows that are drawn
    few = boosted(frame, FitSettings(boosted=1, boosted_rows=100), 1)
    assert few.depth < one[0].depth


def test_a_share_is_drawn_to_that_of_the_tree_and_never_0_or_1() -> None:
    rows = np.arange(40, dtype=np.float32)[:, None]
    labels = (rows[:, 0] >= 30).astype(float)
    made = flattened(DecisionTreeClassifier().fit(rows, labels).tree_, 10.0)
    low, high = made.shares(rows[[0, -1]])
    assert low == pytest.approx(10 * 0.25 / (30 + 10))
    assert high == pytest.approx((10 + 10 * 0.25) / (10 + 10))


def test_every_fraud_of_few_takes_part_and_of_many_as_large_a_part_as_of_genuine_rows() -> None:
    frame = synthetic(6000)
    drawn: list[int] = []
    for part in (growing(frame, 1000, 500), growing(frame, 1000, 1)):
        frauds = part.tree(1, 1).says  # the root's share is that of all rows drawn
        drawn.append(round(float(frauds[0]) * 1000 / (1 - float(frauds[0]))))
    assert drawn == pytest.approx([frame.frauds, frame.frauds * 1000 / frame.genuine], abs=1)


def test_rows_that_stand_for_more_are_drawn_more_often() -> None:
    frame = synthetic(6000)
    genuine = frame.labels == 0
    small = genuine & (frame.vectors[:, 0] < 3000)
    heavy = replace(frame, stands_for=np.where(small, 50.0, 1.0))
    rows = np.full((1, 6), np.nan, dtype=np.float32)
    rows[0, 0] = 5000.0

    def share(of: Frame) -> float:
        made = joined([growing(of, blanked=0.5).tree(1, number) for number in range(30)])
        return float(made.shares(rows)[0])

    assert share(heavy) > 1.5 * share(frame)


def test_too_large_and_unknown_values_are_learnt_from_and_scored() -> None:
    frame = synthetic(2000)
    frame.vectors[::7, 0], frame.vectors[::5, 1], frame.vectors[::9, 2] = 1e300, -np.inf, np.nan
    made = grown(fit(frame), FitSettings(trees=20), silent, Run())
    shares = made.shares(as_rows(frame.vectors))
    assert ((shares > 0) & (shares < 1)).all()
    assert isinstance(made, Forest)


def test_a_worker_that_is_not_there_is_missed(tmp_path: Path) -> None:
    kept = KeptTrees(tmp_path, patience=0.0)
    with pytest.raises(UnavailableError, match=r"all-1\.npz"):
        grown(fit(synthetic(1500)), TREES, silent, Run(Workers(2), kept))
