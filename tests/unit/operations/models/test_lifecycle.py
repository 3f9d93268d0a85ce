"""Lifecycle of models: what is refused, and what may be repeated."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from commands.models.lifecycle import promote_model
from commands.models.registry import registry_of
from domain.errors import InvalidInputError, LogUnavailableError, NotFoundError
from domain.events import ModelPromoted, Thresholds
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from operations.models.lifecycle import Models

THRESHOLDS = Thresholds(review=0.1, step_up=0.2, decline=0.3)


@pytest.fixture
def log() -> Iterator[InMemoryEventLog]:
    """Of three promotions: a, b and c."""
    made = InMemoryEventLog()
    for name in ("a", "b", "c"):
        model = ModelPromoted(model_id=name, model_hash=name * 9, feature_set="f")
        promote_model(made, model, THRESHOLDS, 1)
    yield made
    made.close()


class Takes:
    def check(self, _features: object) -> None:
        """Any features."""


def opened(log: InMemoryEventLog) -> Models:
    """As a command opens them; every model can be loaded."""
    manifest = SimpleNamespace(thresholds=THRESHOLDS)
    artefact, scorer = SimpleNamespace(manifest=manifest), SimpleNamespace(inputs=Takes())
    store: Any = SimpleNamespace(share=lambda _hash: None, open=lambda _hash: artefact)
    return Models(log, store, registry_of(log), lambda _hash: scorer)


def test_a_repeated_rollback_to_a_model_goes_no_further(log: InMemoryEventLog) -> None:
    assert opened(log).rollback("b").model_id == "b"
    version = registry_of(log).policy.version
    assert opened(log).rollback("b").model_id == "b"
    assert registry_of(log).policy.version == version
    assert opened(log).rollback("a").model_id == "a"
    with pytest.raises(NotFoundError, match="c"):
        opened(log).rollback("c")


def test_two_rollbacks_from_one_policy_are_one_fact_and_go_no_further(
    log: InMemoryEventLog,
) -> None:
    one, other = opened(log), opened(log)
    one.rollback()
    before = registry_of(log).policy.before
    other.rollback()
    *_, first, second = (decode(record.value).id for record in log.read(POLICY))
    assert first == second
    assert (registry_of(log).in_force, registry_of(log).policy.before) == ("b" * 9, before)


def test_a_rollback_without_acknowledgement_names_the_command_to_repeat(
    log: InMemoryEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = opened(log)

    def lost() -> None:
        raise LogUnavailableError("no acknowledgement")

    monkeypatch.setattr(log, "flush", lost)
    with pytest.raises(LogUnavailableError) as doubt:
        models.rollback()
    assert str(doubt.value) == (
        "kafka: no acknowledgement; once it is back,"
        " `retrace models rollback --to b` goes on, and no further"
    )
    # It had arrived.
    assert registry_of(log).in_force == "b" * 9
    assert opened(log).rollback("b").model_id == "b"


def test_the_model_in_force_is_neither_rolled_out_nor_retired(log: InMemoryEventLog) -> None:
    with pytest.raises(InvalidInputError, match="c is in force: it has all traffic"):
        opened(log).roll_out("c", 500)
    with pytest.raises(InvalidInputError, match="c is in force: promote another one first"):
        opened(log).retire("c", "worse")
    assert opened(log).roll_out("b", 500).model_id == "b"
    assert opened(log).end_roll_out().model_id == "b"
    with pytest.raises(NotFoundError, match="rolled out"):
        opened(log).end_roll_out()


def test_retiring_ends_the_shadow_and_is_recorded_once(log: InMemoryEventLog) -> None:
    opened(log).shadow("a", None)
    opened(log).retire("a", "worse")
    version = registry_of(log).policy.version
    with pytest.raises(NotFoundError, match="shadow"):
        opened(log).end_shadow("a")
    opened(log).retire("a", "worse")
    after = registry_of(log)
    assert (after.policy.version, after.find("a").retired) == (version, "worse")
    with pytest.raises(InvalidInputError, match="a was retired: worse"):
        opened(log).promote("a")
