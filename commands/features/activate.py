"""Activation of a feature set on the policy topic, and the set that was activated last."""

from __future__ import annotations

from commands.policy.feature_sets import ActivatedFeatures
from commands.policy.topic import facts
from domain.events import Envelope, FeaturesActivated
from domain.features import FeatureSet
from eventlog.port import EventLog
from eventlog.topics import POLICY

SOURCE = "retrace/features"


def activate_features(log: EventLog, fact: FeaturesActivated, before: int, known_time: int) -> None:
    """Appends the fact, and returns once it is acknowledged; `before` is the live generation.

    The fact alone moves no reader: the caller moves the pointer after it. Raises
    LogUnavailableError; a repetition is harmless: it states the same again.
    """
    about = f"features {fact.feature_set}"
    envelope = Envelope(
        id=f"{fact.NAME}/{fact.generation}/{before}/{known_time}",
        source=SOURCE,
        subject=about,
        time=known_time,
        known_time=known_time,
        data=fact,
        correlation_id=about,
    )
    log.append_nowait(POLICY, None, envelope)
    log.flush()


def activated_features(log: EventLog) -> FeatureSet | None:
    """The set that was activated last of those that this version can compute, None without one."""
    found = ActivatedFeatures()
    for _, fact in facts(log):
        found = found.apply(fact.data)
    return found.last
