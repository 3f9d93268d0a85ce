"""Command about features: appends which set is served."""

from domain.events import Envelope, FeaturesActivated
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
