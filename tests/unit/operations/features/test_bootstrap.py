"""A lost online store comes back with the features that were activated last."""

from commands.features.activate import activate_features
from domain.events import FeaturesActivated
from domain.features import CATALOGUE, FeatureSet
from eventlog.in_memory import InMemoryEventLog
from operations.features.bootstrap import ensure_generation
from tests.fakes.generations import InMemoryGenerations

FEWER = FeatureSet(CATALOGUE.features[:3])


def activate(log: InMemoryEventLog, features: FeatureSet, declarations: str = "") -> None:
    fact = FeaturesActivated(
        generation=2,
        feature_set=features.hash,
        declarations=declarations or features.to_json(),
        reason="why",
    )
    activate_features(log, fact, 1, 1_000)


def first_generation(log: InMemoryEventLog) -> tuple[str, list[str]]:
    kept, messages = InMemoryGenerations(), list[str]()
    ensure_generation(kept, log, messages.append)
    return kept.live().hash, messages


def test_a_new_system_begins_with_the_catalogue() -> None:
    assert first_generation(InMemoryEventLog()) == (CATALOGUE.hash, [])


def test_the_set_that_was_activated_last_is_adopted_and_what_is_declared_is_named() -> None:
    log = InMemoryEventLog()
    activate(log, CATALOGUE)
    activate(log, FEWER)
    adopted, (message,) = first_generation(log)
    assert adopted == FEWER.hash
    assert f"{CATALOGUE.hash} is declared" in message


def test_a_set_that_this_version_cannot_compute_is_passed_over() -> None:
    log = InMemoryEventLog()
    activate(log, FEWER)
    activate(log, CATALOGUE, "no declarations")
    assert first_generation(log)[0] == FEWER.hash
