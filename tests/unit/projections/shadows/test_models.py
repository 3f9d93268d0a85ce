"""Models of shadows: which recorded vectors and which histories they can score."""

from typing import Any

import pytest

from domain.events import Thresholds
from domain.features import CATALOGUE, FeatureSet, Inputs
from domain.policy.shadows import Shadow
from projections.shadows.models import ServedVectorScorer, ShadowModels

FEWER = FeatureSet(CATALOGUE.features[:3])
KNOWN = {FEWER.hash: FEWER, CATALOGUE.hash: CATALOGUE}


class Counting:
    """Scores the number of values that it was given."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs

    def value(self, values: Any) -> float:
        return len(values) / 10


def asking(feature_set: FeatureSet, at: int) -> Counting:
    feature = feature_set.features[at]
    return Counting(Inputs("m", feature_set.hash, [feature.name], [feature.definition]))


def test_a_recorded_vector_is_read_by_the_set_that_it_was_served_with() -> None:
    scorer = ServedVectorScorer(asking(FEWER, 0), KNOWN.get)
    assert scorer.score(FEWER.hash, [1.0, 2.0, 3.0]) == 0.1
    assert scorer.score(CATALOGUE.hash, [1.0] * len(CATALOGUE)) == 0.1
    assert scorer.score("an unknown set", [1.0]) is None


def test_a_vector_that_lacks_what_the_model_asks_for_has_no_score() -> None:
    scorer = ServedVectorScorer(asking(CATALOGUE, -1), KNOWN.get)
    assert scorer.score(FEWER.hash, [1.0, 2.0, 3.0]) is None


def test_other_features_replay_nothing_and_say_so_once(caplog: pytest.LogCaptureFixture) -> None:
    kernel = Counting(Inputs("a", "f", ["a feature of before"], ["its definition"]))
    models = ShadowModels(lambda _: kernel, KNOWN.get, lambda _: pytest.fail("read the log"))
    shadow = Shadow(0, "a", "a", Thresholds(review=0.1, step_up=0.2, decline=0.3), (0,) * 8)
    assert models.replay(shadow) is None
    assert models.replay(shadow) is None
    assert caplog.text.count("shadow a waits") == 1
    assert "a feature of before" in caplog.text
