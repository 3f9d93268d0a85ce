"""Fold of alert facts onto the stored alerts: rows to add and deliveries to set. Pure.

The first raised of an id counts until the id may be used again; so does its first delivery. Alerts
about transactions and about models have tables of their own, and no id in common.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.events import (
    AlertDelivered,
    AlertRaised,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
)
from domain.times import to_datetime
from eventlog.admission.first_wins import HORIZON_US
from eventlog.port import Position
from projections.ports import CheckedRecord, Counts
from projections.readmodels.fold.counting import count_each
from projections.readmodels.fold.rows import (
    ALERT_COLUMNS,
    MODEL_ALERT_COLUMNS,
    Row,
    alert_row,
    model_alert_row,
)

COLUMNS = {"alerts": ALERT_COLUMNS, "model_alerts": MODEL_ALERT_COLUMNS}
_INT32 = 2**31
_Raised = AlertRaised | ModelAlertRaised
_Delivered = AlertDelivered | ModelAlertDelivered


@dataclass(frozen=True, slots=True)
class AlertState:
    raised_time: int
    delivered: bool


@dataclass(slots=True)
class Changes:
    """By table and id: `raised` replaces whole rows, `delivered` holds what a delivery sets."""

    raised: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    delivered: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    counts: dict[int, Counts] = field(default_factory=dict)


def ids_in(batch: Iterable[CheckedRecord]) -> list[str]:
    return list(
        {
            record.envelope.data.alert_id: None
            for record in batch
            if record.status == "counts"
            and record.envelope is not None
            and isinstance(record.envelope.data, _Raised | _Delivered)
        }
    )


def fold(batch: Iterable[CheckedRecord], stored: Mapping[str, AlertState]) -> Changes:
    """Raises UnfoldableError naming every record that the tables cannot hold."""
    changes = Changes()
    states = dict(stored)
    count_each(
        batch, changes.counts, lambda envelope, place: _step(envelope, place, states, changes)
    )
    return changes


def _step(
    envelope: Envelope, position: Position, states: dict[str, AlertState], changes: Changes
) -> bool:
    if isinstance(envelope.data, _Raised):
        return _raised(envelope, position, states, changes)
    if isinstance(envelope.data, _Delivered):
        return _delivered(envelope, states, changes)
    return True


def _raised(
    envelope: Envelope, position: Position, states: dict[str, AlertState], changes: Changes
) -> bool:
    key = envelope.data.alert_id
    state = states.get(key)
    if state and envelope.known_time - state.raised_time <= HORIZON_US:
        return False
    of_model = isinstance(envelope.data, ModelAlertRaised)
    table, row = ("model_alerts", model_alert_row) if of_model else ("alerts", alert_row)
    changes.raised[table][key] = row(envelope, position)
    changes.delivered[table].pop(key, None)
    states[key] = AlertState(envelope.known_time, delivered=False)
    return True


def _delivered(envelope: Envelope, states: dict[str, AlertState], changes: Changes) -> bool:
    data: _Delivered = envelope.data
    state = states.get(data.alert_id)
    if state is None or state.delivered:
        return False
    if "\0" in data.receiver or not 0 <= data.attempts < _INT32:
        raise ValueError("receiver or attempts: cannot be stored")
    table = "model_alerts" if isinstance(data, ModelAlertDelivered) else "alerts"
    delivery = (to_datetime(envelope.known_time), data.receiver, data.attempts)
    row = changes.raised[table].get(data.alert_id)
    if row is None:
        changes.delivered[table][data.alert_id] = delivery
    else:
        changes.raised[table][data.alert_id] = _with(table, row, delivery)
    states[data.alert_id] = AlertState(state.raised_time, delivered=True)
    return True


def _with(table: str, row: Row, delivery: Row) -> Row:
    """The row of an alert once it is delivered."""
    changed = dict(zip(COLUMNS[table], row, strict=True))
    changed["state"] = "delivered"
    changed["delivered_time"], changed["receiver"], changed["attempts"] = delivery
    return tuple(changed.values())
