"""Shadows and activated feature sets, as the POLICY topic tells them."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from commands.policy.shadows import ShadowPolicy
from domain.events import FeaturesActivated, ModelShadowed, ShadowEnded, Thresholds
from domain.features import CATALOGUE, FeatureSet
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from tests.fakes.events import promoted

FEWER = FeatureSet(CATALOGUE.features[:3])


@pytest.fixture
def log() -> Iterator[InMemoryEventLog]:
    with closing(InMemoryEventLog()) as made:
        yield made


def say(log: InMemoryEventLog, data: Any, ordinal: int = 0) -> None:
    fact = replace(promoted(), id=f"{data.NAME}/{ordinal}", data=data)
    log.append_nowait(POLICY, None, fact)


def shadow(model_hash: str) -> ModelShadowed:
    return ModelShadowed(
        model_id=model_hash,
        model_hash=model_hash,
        feature_set="f",
        thresholds=Thresholds(review=0.1, step_up=0.2, decline=0.3),
        seam=[0] * 8,
    )


def activated(declarations: str) -> FeaturesActivated:
    return FeaturesActivated(
        generation=2, feature_set=FEWER.hash, declarations=declarations, reason="test"
    )


def test_first_the_whole_topic_is_read_and_later_what_came(log: InMemoryEventLog) -> None:
    say(log, shadow("a"))
    say(log, ShadowEnded(model_id="a", model_hash="a", until=[0] * 8))
    policy = ShadowPolicy(log)
    assert policy.shadows(0.0).active("a") is None
    say(log, shadow("b"), 1)
    shadows = policy.shadows(5.0)
    assert [each.number for each in shadows.by_model.values()] == [0, 2]
    policy.close()


def test_a_set_is_known_by_hash_unless_it_cannot_be_computed(log: InMemoryEventLog) -> None:
    policy = ShadowPolicy(log)
    say(log, activated("no declarations"))
    policy.shadows(0.0)
    assert policy.features(FEWER.hash) is None
    assert policy.features(CATALOGUE.hash) is CATALOGUE
    say(log, activated(FEWER.to_json()), 1)
    policy.shadows(5.0)
    found = policy.features(FEWER.hash)
    assert found is not None
    assert found.names == FEWER.names
    policy.close()
