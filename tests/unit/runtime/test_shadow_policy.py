"""What a process that scores along knows of the policy: shadows, and sets of features by hash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from commands.policy.shadows import ShadowPolicy
from domain.events import Envelope, FeaturesActivated, ModelShadowed, ShadowEnded, Thresholds
from domain.features import CATALOGUE, FeatureSet, Inputs
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from runtime.processes.shadows import LiveScorer, ShadowModels
from runtime.settings import settings_from_environment

FEWER = FeatureSet(CATALOGUE.features[:3])


@pytest.fixture
def log() -> Iterator[InMemoryEventLog]:
    made = InMemoryEventLog()
    yield made
    made.close()


def say(log: InMemoryEventLog, data: Any, ordinal: int = 0) -> None:
    envelope = Envelope(
        id=f"{data.NAME}/{ordinal}",
        source="tests",
        subject="policy",
        time=0,
        known_time=0,
        data=data,
        correlation_id="c",
    )
    log.append_nowait(POLICY, None, envelope)


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


def test_the_first_answer_is_of_the_whole_topic_and_later_ones_of_what_came(
    log: InMemoryEventLog,
) -> None:
    say(log, shadow("a"))
    say(log, ShadowEnded(model_id="a", model_hash="a", until=[0] * 8))
    policy = ShadowPolicy(log)
    assert policy.shadows(0.0).going_on("a") is None
    say(log, shadow("b"), 1)
    told = policy.shadows(5.0)
    assert [each.number for each in told.by_model.values()] == [0, 2]
    policy.close()


def test_a_record_that_cannot_be_read_keeps_no_shadow_from_being_heard(
    log: InMemoryEventLog,
) -> None:
    async def unreadable() -> None:
        await log.append_bytes(POLICY, None, b"{}")

    asyncio.run(unreadable())
    say(log, activated("no declarations"))
    say(log, shadow("a"))
    policy = ShadowPolicy(log)
    assert policy.shadows(0.0).by_model["a"].number == 2
    assert policy.features(FEWER.hash) is None
    policy.close()


class Seen:
    """Scores the number of values that it was given."""

    inputs = Inputs("seen", FEWER.hash, FEWER.names[:1], [FEWER.features[0].definition])

    def value(self, values: list[float | None]) -> float:
        return len(values) / 10


def test_a_recorded_vector_is_read_by_the_set_that_it_was_served_with(
    log: InMemoryEventLog,
) -> None:
    say(log, activated(FEWER.to_json()))
    policy = ShadowPolicy(log)
    policy.shadows(0.0)
    scorer = LiveScorer(Seen(), policy)  # type: ignore[arg-type]
    assert scorer.score(FEWER.hash, [1.0, 2.0, 3.0]) == 0.1
    assert scorer.score(CATALOGUE.hash, [1.0] * len(CATALOGUE)) == 0.1
    assert scorer.score("a set never heard of", [1.0]) is None
    policy.close()


def test_a_vector_that_lacks_what_the_model_asks_for_has_no_score(log: InMemoryEventLog) -> None:
    say(log, activated(FEWER.to_json()))
    policy = ShadowPolicy(log)
    policy.shadows(0.0)
    asks = Seen()
    asks.inputs = Inputs("asks", "f", CATALOGUE.names[-1:], [CATALOGUE.features[-1].definition])
    assert LiveScorer(asks, policy).score(FEWER.hash, [1.0, 2.0, 3.0]) is None  # type: ignore[arg-type]
    policy.close()


def test_a_model_of_other_features_waits_with_its_history_and_says_so_once(
    log: InMemoryEventLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    say(log, shadow("a"))
    policy = ShadowPolicy(log)
    told = policy.shadows(0.0).by_model["a"]
    asks = Seen()
    asks.inputs = Inputs("asks", "f", ["a feature of before"], ["its definition"])
    with ExitStack() as closing:
        models = ShadowModels(settings_from_environment(), policy, closing)
        monkeypatch.setattr(models, "_loaded", {"a": asks})
        assert models.replay(told) is None
        assert models.replay(told) is None
    assert caplog.text.count("shadow a waits") == 1
    assert "a feature of before" in caplog.text
    policy.close()
