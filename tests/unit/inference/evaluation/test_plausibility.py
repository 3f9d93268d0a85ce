"""Measures that are too good to be true are doubted: of a feature alone, and of a model."""

from dataclasses import replace

import numpy as np
import pytest

from inference.evaluation.gate.plausibility import doubts_about
from inference.evaluation.gate.report import Check, GateLimits
from inference.evaluation.measures import Validated
from inference.frame.frame import Floats, Frame
from tests.builders.training_frames import synthetic

LIMITS = GateLimits()


def doubts(frame: Frame, scores: Floats) -> list[Check]:
    return list(doubts_about(Validated(frame, scores), LIMITS))


def found(frame: Frame, share: float) -> Floats:
    """Scores under which that share of the frauds ranks first and the others as any payment."""
    random = np.random.default_rng(4)
    scores = random.random(len(frame)) / 2
    scores[(frame.labels == 1) & (random.random(len(frame)) < share)] += 0.5
    return scores


@pytest.mark.parametrize(("share", "too_good"), [(0.5, False), (0.95, False), (1.0, True)])
def test_a_model_that_finds_nearly_all_fraud_is_doubted(share: float, too_good: bool) -> None:
    frame = synthetic()
    names = [each.name for each in doubts(frame, found(frame, share))]
    assert names == (["model too good"] if too_good else [])


@pytest.mark.parametrize("turned", [1, -1])
def test_a_feature_that_gives_the_label_away_is_named(turned: int) -> None:
    frame = synthetic()
    frame.vectors[:, 2] = turned * frame.labels
    (doubt,) = doubts(frame, found(frame, 0.5))
    assert (doubt.name, doubt.features) == ("feature too good", ("is_new",))
    order = "greatest" if turned > 0 else "least"
    assert doubt.says.startswith(f"is_new alone, its {order} values first, has average precision")
    assert "is the label among what is mapped" in doubt.says


def test_few_frauds_that_a_feature_happens_to_find_are_not_beyond_noise() -> None:
    frame = synthetic().take(slice(0, 700))
    frame = replace(frame, vectors=np.full((700, 1), 0.5), names=("a",))
    frauds = np.flatnonzero(frame.labels == 1)
    frame.vectors[frauds[:-1]] = 1.0
    assert 20 < len(frauds) < 40
    assert doubts(frame, found(frame, 0.5)) == []
