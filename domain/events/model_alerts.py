"""Events of the ALERTS topic about models: an alert is raised, and delivered."""

from dataclasses import dataclass
from typing import Literal

from domain.events.registry import Event, event

HealthMeasure = Literal[
    "features",
    "scores",
    "labels",
    "calibration",
    "precision",
    "recall",
    "gate",
    "replay",
    "replay_fails",
]


@event("fraud.model-alert.raised")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAlertRaised(Event):
    """A model needs attention: it is over a limit of model health, or the gate refused it.

    `value` is the greatest PSI of a feature, the PSI of scores, the ratio of live to expected
    frauds, or the ratio of expected to live odds of precision or recall; `limit` is what it is
    over. `features` that drifted, the greatest drift first. Decisions from `since` to `until` were
    looked at (known time, microseconds UTC). Of the gate, `value` is how much worse the model is
    and `limit` how much is allowed, on payments of that event time.

    With `replay` and `replay_fails` it is the system that needs attention: so many past decisions
    do not follow from the log, or none was proven for so many hours. `model_hash` is empty then.
    """

    alert_id: str
    model_id: str
    model_hash: str
    measure: HealthMeasure
    value: float
    limit: float
    summary: str
    features: list[str]
    since: int
    until: int


@event("fraud.model-alert.delivered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAlertDelivered(Event):
    """As AlertDelivered."""

    alert_id: str
    model_id: str
    receiver: str
    attempts: int
    route: str = "webhook"
    key: str = ""
