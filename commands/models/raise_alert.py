"""Command about model alerts: appends that a model needs attention."""

from domain.events import ModelAlertRaised
from domain.model_alerts import model_alert
from eventlog.port import EventLog
from eventlog.topics import ALERTS


async def raise_model_alert(
    log: EventLog, alert: ModelAlertRaised, source: str, known_time: int
) -> None:
    """A repetition on one day is void: its id is equal. Raises LogUnavailableError."""
    envelope = model_alert(alert, source, known_time)
    await log.append(ALERTS, envelope.subject, envelope)
