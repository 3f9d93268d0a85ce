"""Owns saying what a model does, on the policy topic; deciding and scoring are others'."""

from __future__ import annotations

from dataclasses import replace

from commands.models.registry import registry_of
from domain.errors import InvalidInputError
from domain.events import (
    Envelope,
    Event,
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    ModelShadowed,
    ModelTrained,
    ShadowEnded,
    Thresholds,
)
from domain.policy import WHOLE, PolicySnapshot, validated
from eventlog.port import EventLog
from eventlog.topics import POLICY

SOURCE = "retrace/inference"


def current_policy(log: EventLog) -> PolicySnapshot:
    """The policy as of the end of its topic, as scorers see it. Raises LogUnavailableError."""
    return registry_of(log).policy


def promote(
    log: EventLog,
    model: ModelPromoted,
    thresholds: Thresholds,
    known_time: int,
) -> int:
    """Puts the model in force with its thresholds; returns the policy version before.

    One fact says both, so that no decision takes the model of one and the thresholds of another.
    Returns once it is acknowledged. Raises LogUnavailableError; a repetition then is harmless, for
    it states the same again. InvalidInputError for thresholds out of order and a retired model.
    """
    registry = registry_of(log)
    for known in registry.all():
        if known.model_hash == model.model_hash:
            known.check_not_retired()
    fact = replace(model, thresholds=validated(thresholds))
    return _say(log, fact, known_time, registry.policy.version)


def roll_out(log: EventLog, model: ModelRolledOut, known_time: int) -> int:
    """Gives the model a share of traffic, or none; as `promote` does otherwise."""
    if not 0 <= model.share <= WHOLE:
        raise InvalidInputError("share", f"expected 0 to {WHOLE} basis points, not {model.share}")
    validated(model.thresholds)
    return _say(log, model, known_time, current_policy(log).version)


def shadow(log: EventLog, model: ModelShadowed, known_time: int) -> int:
    """Lets the model score along; as `promote` does otherwise."""
    validated(model.thresholds)
    return _say(log, model, known_time, current_policy(log).version)


def end_shadow(log: EventLog, ended: ShadowEnded, known_time: int) -> int:
    """As `promote` does otherwise."""
    return _say(log, ended, known_time, current_policy(log).version)


def _say(
    log: EventLog,
    fact: ModelPromoted | ModelRolledOut | ModelShadowed | ShadowEnded,
    known_time: int,
    before: int,
) -> int:
    # A model may come back after another one, so the place in the log belongs to the id.
    event_id = f"{fact.NAME}/{fact.model_hash}/{before + 1}"
    log.append_nowait(POLICY, None, _envelope(fact, event_id, fact.model_id, known_time))
    log.flush()
    return before


def register(log: EventLog, model: ModelTrained, known_time: int) -> None:
    """Says that the model exists, once. Raises LogUnavailableError."""
    known = registry_of(log).all()
    if any(each.trained and each.model_hash == model.model_hash for each in known):
        return
    event_id = f"{model.NAME}/{model.model_hash}"
    log.append_nowait(POLICY, None, _envelope(model, event_id, model.model_id, known_time))
    log.flush()


def retire(log: EventLog, model: ModelRetired, known_time: int) -> None:
    """Says that the model is not to be promoted again. Raises LogUnavailableError."""
    event_id = f"{model.NAME}/{model.model_hash}"
    log.append_nowait(POLICY, None, _envelope(model, event_id, model.model_id, known_time))
    log.flush()


def _envelope(fact: Event, event_id: str, subject: str, known_time: int) -> Envelope:
    return Envelope(
        id=event_id,
        source=SOURCE,
        subject=subject,
        time=known_time,
        known_time=known_time,
        data=fact,
        correlation_id=event_id,
    )
