"""Owns putting a model in force: its thresholds and its promotion, on the policy topic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from domain.errors import UndecodableError
from domain.events import Envelope, Event, ModelPromoted, Thresholds, ThresholdsSet
from domain.policy import PolicySnapshot, fold, validated
from eventlog.codec import decode
from eventlog.port import EventLog
from eventlog.topics import POLICY

SOURCE = "retrace/inference"


def current_policy(log: EventLog) -> PolicySnapshot:
    """The policy as of the end of its topic, as scorers see it. Raises LogUnavailableError."""
    return fold(_readable(log))


def promote(
    log: EventLog,
    model: ModelPromoted,
    thresholds: Thresholds,
    known_time: int,
) -> int:
    """Appends both facts and waits for their acknowledgement; returns the policy version before.

    Thresholds go first: while no model is in force they judge nothing. Raises LogUnavailableError;
    a repetition then is harmless, for it states the same again.
    """
    before = current_policy(log).version
    reason = f"chosen with model {model.model_id}"
    facts: list[tuple[Event, str]] = [
        (ThresholdsSet(thresholds=validated(thresholds), reason=reason), "thresholds"),
        (model, model.model_id),
    ]
    for fact, subject in facts:
        # A model may come back after another one, so the place in the log belongs to the id.
        event_id = f"{fact.NAME}/{model.model_hash}/{before + 1}"
        log.append_nowait(POLICY, None, _envelope(fact, event_id, subject, known_time))
    log.flush()
    return before


def _readable(log: EventLog) -> Iterator[tuple[int, Any]]:
    for recorded in log.read(POLICY):
        # What a later version has written is refused by scorers too, and must not stop a start.
        with suppress(UndecodableError):
            yield recorded.position.offset, decode(recorded.value).data


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
