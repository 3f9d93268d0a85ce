"""Owns the fold of a batch of transaction facts onto what stands; pure, so the store adds nothing.

The caller has applied the void rule. The fold holds it against the rows once more (a worker that
has lost its memory of ids must not replace rows), and counts what it refuses as void.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.events import (
    Envelope,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from eventlog.admission.first_wins import HORIZON_US
from eventlog.port import Position
from projections.ports import Counts, Judged
from projections.readmodels.fold.counting import count_each
from projections.readmodels.fold.rows import Row, decision_row, label_row, transaction_row
from projections.readmodels.fold.transaction_state import Origin, Share, Standing, share


@dataclass(slots=True)
class Changes:
    """Rows to write, by key. Rows of ids in `replaced` (an id used anew) are removed first."""

    transactions: dict[str, Row] = field(default_factory=dict)
    decisions: dict[str, Row] = field(default_factory=dict)
    labels: dict[tuple[str, str], Row] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    before: list[Share] = field(default_factory=list)
    after: list[Share] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)


def transaction_id_of(envelope: Envelope) -> str | None:
    """The transaction that the fact changes here; None for facts that have no rows."""
    data = envelope.data
    if isinstance(data, TransactionSubmitted | TransactionImported | TransactionScored):
        return data.transaction.transaction_id
    return data.transaction_id if isinstance(data, TransactionLabelled) else None


def ids_in(batch: Iterable[Judged]) -> list[str]:
    """Ids whose standing the fold needs, each once, in order."""
    ids: dict[str, None] = {}
    for judged in batch:
        if judged.verdict == "counts" and judged.envelope is not None:
            found = transaction_id_of(judged.envelope)
            if found is not None:
                ids[found] = None
    return list(ids)


def fold(batch: Iterable[Judged], stored: Mapping[str, Standing]) -> Changes:
    """Changes `stored`'s standings. Raises UnfoldableError naming every record that cannot be."""
    changes = Changes(before=[share(standing) for standing in stored.values()])
    standings = dict(stored)
    count_each(
        batch, changes.counts, lambda envelope, place: _step(envelope, place, standings, changes)
    )
    changes.after = [share(standing) for standing in standings.values()]
    return changes


def _step(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    data = envelope.data
    if isinstance(data, TransactionImported | TransactionSubmitted):
        return _origin(envelope, position, standings, changes)
    if isinstance(data, TransactionScored):
        return _scored(envelope, position, standings, changes)
    if isinstance(data, TransactionLabelled):
        return _labelled(envelope, position, standings, changes)
    return True


def _origin(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    x = envelope.data.transaction
    key = x.transaction_id
    standing = standings.setdefault(key, Standing())
    if standing.origin is not None:
        if envelope.known_time - standing.origin.known_time <= HORIZON_US:
            return False
        changes.replaced.add(key)
        changes.decisions.pop(key, None)
        for event_id in standing.labels:
            changes.labels.pop((key, event_id), None)
        standing.outcome, standing.labels = None, {}
    changes.transactions[key] = transaction_row(envelope, position)
    standing.origin = Origin(
        envelope.known_time, x.timestamp, x.base_amount, x.merchant_id, x.customer_id
    )
    return True


def _scored(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    key = envelope.data.transaction.transaction_id
    standing = standings.get(key)
    if standing is None or standing.origin is None or standing.outcome is not None:
        return False
    changes.decisions[key] = decision_row(envelope, position)
    standing.outcome = envelope.data.outcome
    return True


def _labelled(
    envelope: Envelope, position: Position, standings: dict[str, Standing], changes: Changes
) -> bool:
    data = envelope.data
    standing = standings.setdefault(data.transaction_id, Standing())
    if envelope.id in standing.labels:
        return False
    changes.labels[(data.transaction_id, envelope.id)] = label_row(envelope, position)
    standing.labels[envelope.id] = (envelope.known_time, position.offset, data.value)
    return True
