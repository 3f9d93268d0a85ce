"""Owns the fold of a batch of alert facts onto the alerts that stand; pure.

The first raised of an id counts until the id may be used again; so does its first delivery. Alerts
about transactions and about models have tables of their own, and no id in common.
"""

from __future__ import annotations

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
from projections.ports import Counts, Judged
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
class Standing:
    raised_time: int
    delivered: bool


@dataclass(slots=True)
class Changes:
    """By table and id: `raised` replaces whole rows, `delivered` holds what a delivery sets."""

    raised: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    delivered: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    counts: Counts = field(default_factory=Counts)


def ids_in(batch: Iterable[Judged]) -> list[str]:
    return list(
        {
            judged.envelope.data.alert_id: None
            for judged in batch
            if judged.verdict == "counts"
            and judged.envelope is not None
            and isinstance(judged.envelope.data, _Raised | _Delivered)
        }
    )


def fold(batch: Iterable[Judged], stored: Mapping[str, Standing]) -> Changes:
    """Raises UnfoldableError naming every record that the tables cannot hold."""
    changes = Changes()
    standings = dict(stored)
    count_each(
        batch, changes.counts, lambda envelope, place: _step(envelope, place, standings, changes)
    )
    return changes


def _step(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    if isinstance(envelope.data, _Raised):
        return _raised(envelope, position, standings, changes)
    if isinstance(envelope.data, _Delivered):
        return _delivered(envelope, standings, changes)
    return True


def _raised(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    key = envelope.data.alert_id
    standing = standings.get(key)
    if standing and envelope.known_time - standing.raised_time <= HORIZON_US:
        return False
    of_model = isinstance(envelope.data, ModelAlertRaised)
    table, row = ("model_alerts", model_alert_row) if of_model else ("alerts", alert_row)
    changes.raised[table][key] = row(envelope, position)
    changes.delivered[table].pop(key, None)
    standings[key] = Standing(envelope.known_time, delivered=False)
    return True


def _delivered(envelope: Envelope, standings: dict[str, Standing], changes: Changes) -> bool:
    data: _Delivered = envelope.data
    standing = standings.get(data.alert_id)
    if standing is None or standing.delivered:
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
    standings[data.alert_id] = Standing(standing.raised_time, delivered=True)
    return True


def _with(table: str, row: Row, delivery: Row) -> Row:
    """The row of an alert once it is delivered."""
    changed = dict(zip(COLUMNS[table], row, strict=True))
    changed["state"] = "delivered"
    changed["delivered_time"], changed["receiver"], changed["attempts"] = delivery
    return tuple(changed.values())
