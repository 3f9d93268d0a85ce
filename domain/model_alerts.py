"""Alerts about models, or the system: one per model, measure and day."""

from domain.events import Envelope, HealthMeasure, ModelAlertRaised
from domain.times import to_datetime

SYSTEM = "retrace"
"""Stands in the place of a model where an alert is about the system itself."""


def model_alert_id(model_hash: str, measure: HealthMeasure, now: int) -> str:
    """Equal for every alert of the same model and measure on one day (UTC)."""
    day = to_datetime(now).date().isoformat()
    return f"{ModelAlertRaised.NAME}/{model_hash}/{measure}/{day}"


def model_alert(data: ModelAlertRaised, source: str, now: int) -> Envelope:
    """`now` is microseconds UTC."""
    return Envelope(
        id=data.alert_id,
        source=source,
        subject=data.model_id,
        time=now,
        known_time=now,
        data=data,
        correlation_id=data.alert_id,
    )
