"""Commands: publish thresholds for the scores of all models, and how much is explored."""

from commands.policy.rules import SOURCE
from commands.policy.topic import append_fact, current_policy, published
from domain.errors import InvalidInputError, NotFoundError
from domain.events import ExplorationPublished, Thresholds, ThresholdsPublished
from domain.policy.exploration import arm_of
from domain.policy.rollout import WHOLE
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


def publish_exploration(
    log: EventLog, share: int, salt: str, reason: str, known_time: int, took_back: int | None = None
) -> bool:
    """Lets pass `share` basis points of what would be declined; 0 ends it. False where it is so.

    A change of the share keeps the salt in force, so that what passed at a smaller one passes
    still. Raises InvalidInputError and LogUnavailableError, after which a repetition is harmless.
    """
    if not 0 <= share <= WHOLE:
        raise InvalidInputError("exploration.share", f"expected 0 to {WHOLE} basis points")
    policy = current_policy(log)
    kept = policy.exploration.salt if policy.exploration and took_back is None else salt
    if arm_of(share, kept) == policy.exploration:
        return False
    fact = ExplorationPublished(share=share, salt=kept, reason=reason, took_back=took_back)
    event_id = f"{fact.NAME}/{policy.version + 1}"
    append_fact(log, fact, event_id, SOURCE, "exploration", known_time)
    return True


def take_back_exploration(log: EventLog, version: int, reason: str, known_time: int) -> bool:
    """Publishes an earlier one again; otherwise as `publish_exploration`. Raises NotFoundError."""
    for each in published(log, ExplorationPublished):
        if each.version == version:
            share, salt = each.fact.share, each.fact.salt
            return publish_exploration(log, share, salt, reason, known_time, version)
    raise NotFoundError("published exploration", str(version))
