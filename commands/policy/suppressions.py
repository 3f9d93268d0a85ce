"""Command: publish the suppressions of alerts."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256

from commands.policy.rules import SOURCE
from commands.policy.topic import append_fact, current_policy, published
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Suppression, SuppressionsPublished
from domain.policy.suppressions import faults_of_suppression
from eventlog.port import EventLog


def publish_suppressions(
    log: EventLog,
    suppressions: Sequence[Suppression],
    reason: str,
    known_time: int,
    took_back: int | None = None,
) -> bool:
    """Puts them in force, all at once; False where they are in force already.

    Raises InvalidInputError for one without an end or a scope, and LogUnavailableError, after which
    a repetition is harmless.
    """
    for each in suppressions:
        for key, text in faults_of_suppression(each):
            raise InvalidInputError(f"suppression {each.name}", f"{key} {text}".strip())
    policy = current_policy(log)
    if list(suppressions) == list(policy.suppressions):
        return False
    fact = SuppressionsPublished(
        suppressions=list(suppressions),
        suppressions_hash=_hash_of(suppressions),
        reason=reason,
        took_back=took_back,
    )
    event_id = f"{fact.NAME}/{fact.suppressions_hash}/{policy.version + 1}"
    append_fact(log, fact, event_id, SOURCE, "suppressions", known_time)
    return True


def take_back_suppressions(log: EventLog, version: int, reason: str, known_time: int) -> bool:
    """Publishes an earlier set again; otherwise as `publish_suppressions`. Raises NotFoundError."""
    for each in published(log, SuppressionsPublished):
        if each.version == version:
            return publish_suppressions(log, each.fact.suppressions, reason, known_time, version)
    raise NotFoundError("published set of suppressions", str(version))


def _hash_of(suppressions: Sequence[Suppression]) -> str:
    text = json.dumps([asdict(each) for each in suppressions], separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
