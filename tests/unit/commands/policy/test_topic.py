"""Readers of the POLICY topic: one rule about what is skipped."""

import asyncio
from dataclasses import replace

import pytest

from commands.models.registry import registry_of
from commands.policy.feature_sets import activated_features
from commands.policy.topic import PolicyTopic, facts
from domain.errors import LogUnavailableError
from domain.events import Envelope, FeaturesActivated
from domain.features import CATALOGUE
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from tests.fakes.events import promoted


def logged(*values: bytes | Envelope) -> InMemoryEventLog:
    log = InMemoryEventLog()

    async def append() -> None:
        for each in values:
            await log.append_bytes(POLICY, None, each if isinstance(each, bytes) else encode(each))

    asyncio.run(append())
    return log


LATER = encode(promoted("m-9")).replace(b"promoted.v", b"promoted.v9")


def test_a_record_that_cannot_be_decoded_is_skipped_counted_and_logged_with_its_offset(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logged(promoted("m-1"), b"{}", promoted("m-2"), LATER)
    topic = PolicyTopic(log)
    assert [offset for offset, _ in topic.read()] == [0, 2]
    log.append_nowait(POLICY, None, promoted("m-3"))
    assert [(offset, fact.data.model_id) for offset, fact in topic.poll(5.0)] == [(4, "m-3")]
    assert topic.skipped == 2
    assert [caplog.text.count(f"offset {offset} is skipped") for offset in range(5)] == [
        0, 1, 0, 1, 0,
    ]  # fmt: skip
    topic.close()


def test_what_is_skipped_leaves_the_version_at_the_last_fact() -> None:
    registry = registry_of(logged(promoted("m-1"), LATER))
    assert (registry.policy.version, registry.shadows.version) == (0, 0)


def test_a_log_that_does_not_answer_raises_and_the_next_call_goes_on() -> None:
    log = logged(promoted("m-1"), promoted("m-2"))
    topic, read = PolicyTopic(log), log.read

    def breaks(*_: object) -> object:
        yield next(read(POLICY))
        raise LogUnavailableError("gone")

    log.read = breaks  # type: ignore[method-assign, assignment]
    with pytest.raises(LogUnavailableError):
        list(topic.read())
    log.read = read  # type: ignore[method-assign]
    assert [offset for offset, _ in topic.read()] == [1]


def test_features_that_cannot_be_computed_are_a_fact_and_no_set() -> None:
    def activated(declarations: str, named: str) -> Envelope:
        data = FeaturesActivated(
            generation=2, feature_set=named, declarations=declarations, reason="test"
        )
        return replace(promoted(named), data=data)

    log = logged(activated(CATALOGUE.to_json(), "old"), activated("no declarations", "new"))
    found = activated_features(log)
    assert found is not None
    assert found.hash == CATALOGUE.hash
    assert len(list(facts(log))) == 2
