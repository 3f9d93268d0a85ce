"""Owns the fold of a batch of alert facts onto the alerts that stand; pure.

The first raised of an id counts until the id may be used again; so does its first delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.events import AlertDelivered, AlertRaised, Envelope
from domain.times import to_datetime
from eventlog.admission import HORIZON_US
from eventlog.port import Position
from projections.ports import Judged
from projections.readmodels.counting import Counts, count_each
from projections.readmodels.rows import ALERT_COLUMNS, Row, alert_row

_STATE = ALERT_COLUMNS.index("state")
_DELIVERED = ALERT_COLUMNS.index("delivered_time")
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Standing:
    raised_time: int
    delivered: bool


@dataclass(slots=True)
class Changes:
    """`raised` replaces whole rows; `delivered` holds the columns that a delivery sets."""

    raised: dict[str, Row] = field(default_factory=dict)
    delivered: dict[str, Row] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


def ids_in(batch: Iterable[Judged]) -> list[str]:
    return list(
        {
            judged.envelope.data.alert_id: None
            for judged in batch
            if judged.verdict == "counts"
            and judged.envelope is not None
            and isinstance(judged.envelope.data, AlertRaised | AlertDelivered)
        }
    )


def fold(batch: Iterable[Judged], stored: Mapping[str, Standing]) -> Changes:
    """Raises UnfoldableError naming every record that the table cannot hold."""
    changes = Changes()
    standings = dict(stored)
    count_each(
        batch, changes.counts, lambda envelope, place: _step(envelope, place, standings, changes)
    )
    return changes


def _step(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    if isinstance(envelope.data, AlertRaised):
        return _raised(envelope, position, standings, changes)
    if isinstance(envelope.data, AlertDelivered):
        return _delivered(envelope, standings, changes)
    return True


def _raised(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    key = envelope.data.alert_id
    standing = standings.get(key)
    if standing and envelope.known_time - standing.raised_time <= HORIZON_US:
        return False
    changes.raised[key] = alert_row(envelope, position)
    changes.delivered.pop(key, None)
    standings[key] = Standing(envelope.known_time, delivered=False)
    return True


def _delivered(envelope: Envelope, standings: dict[str, Standing], changes: Changes) -> bool:
    data: AlertDelivered = envelope.data
    standing = standings.get(data.alert_id)
    if standing is None or standing.delivered:
        return False
    if "\0" in data.receiver or not 0 <= data.attempts < _INT32:
        raise ValueError("receiver or attempts: cannot be stored")
    delivery = (to_datetime(envelope.known_time), data.receiver, data.attempts)
    row = changes.raised.get(data.alert_id)
    if row is None:
        changes.delivered[data.alert_id] = delivery
    else:
        after = row[_DELIVERED + len(delivery) :]
        changes.raised[data.alert_id] = (
            *row[:_STATE], "delivered", *row[_STATE + 1 : _DELIVERED], *delivery, *after,
        )  # fmt: skip
    standings[data.alert_id] = Standing(standing.raised_time, delivered=True)
    return True
