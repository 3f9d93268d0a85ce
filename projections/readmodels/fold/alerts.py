"""Fold of alert facts onto the stored alerts: rows to add and deliveries to set. Pure.

The first raised of an id counts until the id may be used again; so does its first delivery. Alerts
about transactions and about models have tables of their own, and no id in common. Of what was done
about a case each event counts once; `cases` are those to make anew. The delivery log has a row of
each attempt that failed and of each delivery, by whatever route, once by event.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from domain.events import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertRaised,
    CaseApprovalRequested,
    CaseHandled,
    CaseOverdue,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
)
from domain.times import to_datetime
from eventlog.admission.first_wins import HORIZON_US
from eventlog.port import Position
from projections.ports import CheckedRecord, Counts
from projections.readmodels.fold.checked import Row
from projections.readmodels.fold.counting import count_each
from projections.readmodels.fold.rows import (
    ALERT_COLUMNS,
    CASE_EVENT_COLUMNS,
    MODEL_ALERT_COLUMNS,
    alert_row,
    case_event_row,
    delivery_row,
    model_alert_row,
)

COLUMNS = {"alerts": ALERT_COLUMNS, "model_alerts": MODEL_ALERT_COLUMNS}
_CASE_OF_ALERT = ALERT_COLUMNS.index("case_id")
_CASE_OF_EVENT = CASE_EVENT_COLUMNS.index("case_id")
_Raised = AlertRaised | ModelAlertRaised
_Handled = CaseHandled | CaseApprovalRequested | CaseOverdue
_Delivered = AlertDelivered | ModelAlertDelivered


@dataclass(frozen=True, slots=True)
class AlertState:
    """`case` is None of an alert about a model."""

    raised_time: int
    delivered: bool
    case: str | None


@dataclass(slots=True)
class Changes:
    """By table and id: `raised` replaces whole rows, `delivered` holds what a delivery sets.

    `attempts` are rows of the delivery log, `handled` of events about cases, by event id.
    """

    raised: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    delivered: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    attempts: dict[str, Row] = field(default_factory=dict)
    handled: dict[str, Row] = field(default_factory=dict)
    cases: set[str] = field(default_factory=set)
    counts: dict[int, Counts] = field(default_factory=dict)


def ids_in(batch: Iterable[CheckedRecord]) -> tuple[list[str], list[str]]:
    """Of alerts, and of events that count once by their own id."""
    alerts, events = dict[str, None](), dict[str, None]()
    for record in batch:
        if record.status == "counts" and record.envelope is not None:
            data = record.envelope.data
            if isinstance(data, _Raised | _Delivered):
                alerts[data.alert_id] = None
            if isinstance(data, _Delivered | AlertDeliveryFailed | _Handled):
                events[record.envelope.id] = None
    return list(alerts), list(events)


def fold(
    batch: Iterable[CheckedRecord], stored: Mapping[str, AlertState], seen: Collection[str]
) -> Changes:
    """`seen` are the stored ids of events. Raises UnfoldableError naming every record that the
    tables cannot hold."""
    changes = Changes()
    states = dict(stored)

    def step(envelope: Envelope, position: Position) -> bool:
        if isinstance(envelope.data, _Raised):
            return _raised(envelope, position, states, changes)
        if isinstance(envelope.data, _Delivered):
            overdue = envelope.data.alert_id.startswith(CaseOverdue.NAME)
            if not overdue and envelope.data.alert_id not in states:
                return False
            new = envelope.id not in seen and _tried(envelope, position, changes)
            return new if overdue else _delivered(envelope, states, changes) or new
        if isinstance(envelope.data, AlertDeliveryFailed):
            return envelope.id not in seen and _tried(envelope, position, changes)
        if isinstance(envelope.data, _Handled):
            return envelope.id not in seen and _handled(envelope, position, changes)
        return True

    count_each(batch, changes.counts, step)
    return changes


def _tried(envelope: Envelope, position: Position, changes: Changes) -> bool:
    if envelope.id in changes.attempts:
        return False
    changes.attempts[envelope.id] = delivery_row(envelope, position)
    return True


def _handled(envelope: Envelope, position: Position, changes: Changes) -> bool:
    if envelope.id in changes.handled:
        return False
    row = changes.handled[envelope.id] = case_event_row(envelope, position)
    changes.cases.add(row[_CASE_OF_EVENT])
    return True


def _raised(
    envelope: Envelope, position: Position, states: dict[str, AlertState], changes: Changes
) -> bool:
    key = envelope.data.alert_id
    state = states.get(key)
    if state and envelope.known_time - state.raised_time <= HORIZON_US:
        return False
    of_model = isinstance(envelope.data, ModelAlertRaised)
    table, row_of = ("model_alerts", model_alert_row) if of_model else ("alerts", alert_row)
    row = changes.raised[table][key] = row_of(envelope, position)
    changes.delivered[table].pop(key, None)
    case = None if of_model else row[_CASE_OF_ALERT]
    changes.cases.update(each for each in (case, state and state.case) if each)
    states[key] = AlertState(envelope.known_time, False, case)
    return True


def _delivered(envelope: Envelope, states: dict[str, AlertState], changes: Changes) -> bool:
    data: _Delivered = envelope.data
    state = states[data.alert_id]
    if state.delivered:
        return False
    table = "model_alerts" if isinstance(data, ModelAlertDelivered) else "alerts"
    delivery = (to_datetime(envelope.known_time), data.receiver, data.attempts)
    row = changes.raised[table].get(data.alert_id)
    if row is None:
        changes.delivered[table][data.alert_id] = delivery
    else:
        changes.raised[table][data.alert_id] = _with(table, row, delivery)
    states[data.alert_id] = replace(state, delivered=True)
    return True


def _with(table: str, row: Row, delivery: Row) -> Row:
    """The row of an alert once it is delivered."""
    changed = dict(zip(COLUMNS[table], row, strict=True))
    changed["state"] = "delivered"
    changed["delivered_time"], changed["receiver"], changed["attempts"] = delivery
    return tuple(changed.values())
