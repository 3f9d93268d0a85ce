"""A rollback to a named model may be repeated, and one in doubt says how."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from commands.models.lifecycle import promote_model
from commands.models.registry import registry_of
from domain.errors import LogUnavailableError, NotFoundError
from domain.events import ModelPromoted, Thresholds
from eventlog.in_memory import InMemoryEventLog
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
    artefact, scorer = SimpleNamespace(manifest=None), SimpleNamespace(inputs=Takes())
    store: Any = SimpleNamespace(share=lambda _hash: None, open=lambda _hash: artefact)
    return Models(log, store, registry_of(log), lambda _hash: scorer)


def test_a_rollback_to_a_model_goes_there_and_no_further_however_often(
    log: InMemoryEventLog,
) -> None:
    assert opened(log).rollback("b").model_id == "b"
    version = registry_of(log).policy.version
    assert opened(log).rollback("b").model_id == "b"
    assert registry_of(log).policy.version == version
    assert opened(log).rollback("a").model_id == "a"
    with pytest.raises(NotFoundError, match="c"):
        opened(log).rollback("c")


def test_a_rollback_in_doubt_says_how_it_is_repeated(
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
