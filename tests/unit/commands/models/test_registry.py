"""Registry of models: which there are, and which one was in force before."""

from hashlib import sha256

import pytest

from commands.models.lifecycle import promote_model, register_model, retire_model
from commands.models.registry import registry_of
from domain.errors import InvalidInputError, NotFoundError
from domain.events import ModelPromoted, ModelRetired, Thresholds
from eventlog.in_memory import InMemoryEventLog
from inference.artefacts.manifest import fact_of
from tests.builders.artefacts import manifest

THRESHOLDS = Thresholds(review=0.1, step_up=0.2, decline=0.3)


def put_in_force(log: InMemoryEventLog, *names: str, took_back: bool = False) -> None:
    for name in names:
        model = ModelPromoted(model_id=name, model_hash=name, feature_set="f", took_back=took_back)
        promote_model(log, model, THRESHOLDS, 1)


def roll_back(log: InMemoryEventLog) -> str:
    model, _ = registry_of(log).before()
    put_in_force(log, model.model_id, took_back=True)
    return model.model_id


def test_rollbacks_in_a_row_go_back_one_by_one_and_end_at_the_first() -> None:
    log = InMemoryEventLog()
    put_in_force(log, "a", "b", "c")
    assert [roll_back(log), roll_back(log)] == ["b", "a"]
    with pytest.raises(NotFoundError):
        registry_of(log).before()


def test_after_a_rollback_a_promotion_lies_upon_what_it_went_to() -> None:
    log = InMemoryEventLog()
    put_in_force(log, "a", "b")
    roll_back(log)
    put_in_force(log, "c")
    assert registry_of(log).before()[0].model_id == "a"


def test_a_retired_model_is_passed_over() -> None:
    log = InMemoryEventLog()
    put_in_force(log, "a", "b", "c")
    retire_model(log, ModelRetired(model_id="b", model_hash="b", reason="test"), 1)
    assert roll_back(log) == "a"
    assert registry_of(log).policy.before == ()


def test_a_retired_model_is_not_put_in_force_whoever_asks() -> None:
    log = InMemoryEventLog()
    put_in_force(log, "a", "b")
    retire_model(log, ModelRetired(model_id="a", model_hash="a", reason="test"), 1)
    with pytest.raises(InvalidInputError, match="a was retired: test"):
        put_in_force(log, "a")
    assert registry_of(log).in_force == "b"


def test_a_rollback_never_goes_to_the_model_that_is_in_force() -> None:
    log = InMemoryEventLog()
    put_in_force(log, "a", "b", "a")
    retire_model(log, ModelRetired(model_id="b", model_hash="b", reason="test"), 1)
    with pytest.raises(NotFoundError):
        registry_of(log).before()
    assert registry_of(log).in_force == "a"


def test_the_log_tells_what_a_model_takes_as_it_was_declared_then() -> None:
    made = manifest(
        feature_names=["a", "b"],
        feature_definitions=["sum of x", "count"],
        facts={"as_known_at": "2026-01-01T00:00:00Z", "transactions": 3, "frauds": 1}
        | {"metrics": {"average_precision": 0.5}},
    )
    log = InMemoryEventLog()
    register_model(log, fact_of(made, "c" * 64), 1)
    trained = registry_of(log).find("m").trained
    assert trained is not None
    assert trained.features == {
        "a": sha256(b"sum of x").hexdigest()[:16],
        "b": sha256(b"count").hexdigest()[:16],
    }
