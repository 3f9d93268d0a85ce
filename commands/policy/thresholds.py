"""Command: publish thresholds for the scores of all models, or withdraw them."""

from commands.policy.rules import SOURCE
from commands.policy.topic import append_fact, current_policy, published
from domain.errors import NotFoundError
from domain.events import Thresholds, ThresholdsPublished
from domain.policy.thresholds import validated
from eventlog.port import EventLog


def publish_thresholds(
    log: EventLog,
    thresholds: Thresholds | None,
    reason: str,
    known_time: int,
    took_back: int | None = None,
) -> bool:
    """They override those of every model from here on; None withdraws them. False where it is so.

    Raises InvalidInputError for thresholds out of order, and LogUnavailableError, after which a
    repetition is harmless.
    """
    policy = current_policy(log)
    if thresholds == policy.published:
        return False
    if thresholds is not None:
        validated(thresholds)
    fact = ThresholdsPublished(thresholds=thresholds, reason=reason, took_back=took_back)
    event_id = f"{fact.NAME}/{policy.version + 1}"
    append_fact(log, fact, event_id, SOURCE, "thresholds", known_time)
    return True


def take_back_thresholds(log: EventLog, version: int, reason: str, known_time: int) -> bool:
    """Publishes earlier ones again; otherwise as `publish_thresholds`. Raises NotFoundError."""
    for each in published(log, ThresholdsPublished):
        if each.version == version:
            return publish_thresholds(log, each.fact.thresholds, reason, known_time, version)
    raise NotFoundError("published thresholds", str(version))
