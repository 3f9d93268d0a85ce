"""Stability: no feature is lost for being said twice, and the card knows what groups are worth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.times import DAY
from inference.frame.frame import Frame, split_by_time
from inference.training.fitting.fit import Fit, Run, grown
from inference.training.fitting.trees import FitSettings
from inference.training.stability import by_week, groups, worth_of_groups
from inference.training.train import TrainSettings, train
from tests.builders.training_frames import synthetic

QUICK = FitSettings(trees=20)
COPIES = 3
_SIGNS = 80


def silent(_done: float, _text: str) -> None:
    return None


def said_again(frame: Frame) -> Frame:
    """Every feature several times, each time a little otherwise."""
    random = np.random.default_rng(5)
    parts = [
        frame.vectors * (1 + 0.002 * random.normal(size=frame.vectors.shape)) for _ in range(COPIES)
    ]
    names = tuple(f"{name}_{copy}" for copy in range(COPIES) for name in frame.names)
    return replace(frame, vectors=np.concatenate(parts, axis=1), names=names, definitions=())


def repeated_signs(rows: int = 12_000) -> Frame:
    """Fraud at 15 % that eighty features tell, all alike but for a little noise, and that one other
    feature hints at: without any single one of the eighty nothing is lost."""
    random = np.random.default_rng(11)
    fraud = random.random(rows) < 0.15
    sign = random.normal(size=rows) + 2.5 * fraud
    alike = sign[:, None] + 0.01 * random.normal(size=(rows, _SIGNS))
    hint = random.normal(size=rows) + 0.7 * fraud
    names = (*(f"sign_{number}" for number in range(_SIGNS)), "hint")
    return replace(
        synthetic(rows),
        vectors=np.column_stack([alike, hint]),
        labels=fraud.astype(np.float64),
        names=names,
        definitions=(),
    )


def test_features_that_say_the_same_do_not_push_each_other_out() -> None:
    settings = TrainSettings(fitting=QUICK, more_seeds=0)
    trained = train(repeated_signs(), settings, silent)
    assert len(trained.manifest.feature_names) == _SIGNS + 1
    assert trained.metrics["average_precision"] > 0.75


def test_copies_of_a_feature_are_one_group() -> None:
    frame = said_again(synthetic())
    found = groups(frame, np.random.default_rng(1))
    width = len(frame.names) // COPIES
    assert sorted(map(len, found)) == [COPIES] * width
    assert all(len(set(group % width)) == 1 for group in found)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_groups_are_a_partition_of_the_features(width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(60, width)).round(random.integers(0, 3))
    vectors[random.random(vectors.shape) < random.random()] = np.nan
    frame = replace(
        synthetic(60), vectors=vectors, names=tuple(f"f{number}" for number in range(width))
    )
    found = np.concatenate(groups(frame, random))
    assert sorted(found.tolist()) == list(range(width))


def test_what_tells_fraud_is_worth_more_than_noise() -> None:
    earlier, later = split_by_time(synthetic())
    forest = grown(Fit("earlier", earlier, 3), QUICK, silent, Run())
    found = worth_of_groups(forest, earlier, later, np.random.default_rng(1))
    worth = {name: each["average_precision"] for each in found for name in each["features"]}
    assert set(worth) == set(earlier.names)
    assert worth["count_1h"] > 0.05 > abs(worth["noise_a"])
    assert [each["average_precision"] for each in found] == sorted(worth.values(), reverse=True)


@pytest.mark.parametrize("late", [0, 10])
def test_weeks_are_measured_apart_where_labels_have_come(late: int) -> None:
    frame = synthetic()
    unknown = frame.times > frame.as_known_at - late * DAY
    later = replace(frame, labels=np.where(unknown, np.nan, frame.labels)).take(
        frame.times > 20 * DAY
    )
    perfect = np.nan_to_num(later.labels)
    found = by_week(later, perfect)
    assert len(found) in (whole := (40 - late) // 7, whole + 1)
    assert sum(week["frauds"] for week in found) <= later.frauds
    assert all(week["auc"] == week["average_precision"] == 1 for week in found)
    assert [week["from"] for week in found] == sorted(week["from"] for week in found)
