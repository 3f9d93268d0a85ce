"""Fold of transaction facts onto the stored transaction states: rows and daily figures. Pure.

The caller has applied the first-wins rule. The fold checks it against the rows once more (a worker
that lost its memory of ids must not replace rows), and counts what it refuses as void.

Facts about transactions before the kept months give no rows: `since` is where these begin. Their
ids are still remembered for as long as no later transaction may have them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.events import (
    Envelope,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.times import DAY
from eventlog.admission.first_wins import HORIZON_US
from eventlog.port import Position
from projections.ports import CheckedRecord, Counts
from projections.readmodels.fold.checked import Row
from projections.readmodels.fold.counting import count_each
from projections.readmodels.fold.rows import (
    checked_id,
    decision_row,
    label_row,
    step_up_row,
    transaction_row,
)
from projections.readmodels.fold.transaction_state import (
    Contribution,
    Origin,
    TransactionState,
    contribution,
)
from projections.readmodels.storage.kept_months import ALWAYS

# A payment is five minutes older than its known time at most in the other direction: a day covers
# that, and the clocks of several hosts.
ID_HORIZON_US = HORIZON_US + DAY
"""An id known longer than this before the kept months can be that of no duplicate within them."""


@dataclass(slots=True)
class Changes:
    """Rows to write, by key, and counts by partition.

    Rows of ids in `replaced` (ids used again) are removed first. `ids` have
    event time and known time, with a row in `transactions` or without.
    """

    since: int = ALWAYS
    ids: dict[str, tuple[int, int]] = field(default_factory=dict)
    transactions: dict[str, Row] = field(default_factory=dict)
    decisions: dict[str, Row] = field(default_factory=dict)
    step_ups: dict[str, Row] = field(default_factory=dict)
    labels: dict[tuple[str, str], Row] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    before: list[Contribution] = field(default_factory=list)
    after: list[Contribution] = field(default_factory=list)
    counts: dict[int, Counts] = field(default_factory=dict)


def transaction_id_of(envelope: Envelope) -> str | None:
    """The transaction that the fact changes here; None for facts that have no rows."""
    data = envelope.data
    if isinstance(data, TransactionSubmitted | TransactionImported | TransactionScored):
        return data.transaction.transaction_id
    about = isinstance(data, TransactionLabelled | StepUpConcluded)
    return data.transaction_id if about else None


def ids_in(batch: Iterable[CheckedRecord]) -> list[str]:
    """The ids whose states the fold needs, each once, in order."""
    ids: dict[str, None] = {}
    for record in batch:
        if record.status == "counts" and record.envelope is not None:
            found = transaction_id_of(record.envelope)
            if found is not None:
                ids[found] = None
    return list(ids)


def days_in(batch: Iterable[CheckedRecord]) -> tuple[set[int], set[int]]:
    """Days since 1970-01-01 UTC: of the transactions, and of those decided, that may get rows."""
    origins: set[int] = set()
    decided: set[int] = set()
    for record in batch:
        if record.status == "counts" and record.envelope is not None:
            data = record.envelope.data
            if isinstance(data, TransactionImported | TransactionSubmitted):
                origins.add(data.transaction.timestamp // DAY)
            elif isinstance(data, TransactionScored):
                decided.add(data.transaction.timestamp // DAY)
    return origins, decided


def fold(
    batch: Iterable[CheckedRecord], stored: Mapping[str, TransactionState], since: int = ALWAYS
) -> Changes:
    """Changes the states in `stored`. Raises UnfoldableError for the records without a row."""
    changes = Changes(since, before=_contributions(stored.values(), since))
    states = dict(stored)
    count_each(
        batch, changes.counts, lambda envelope, place: _step(envelope, place, states, changes)
    )
    changes.after = _contributions(states.values(), since)
    return changes


def _contributions(states: Iterable[TransactionState], since: int) -> list[Contribution]:
    made = map(contribution, states)
    if since == ALWAYS:
        return list(made)
    return [each for each in made if each[0] is None or each[0].timestamp >= since]


def _step(
    envelope: Envelope, position: Position, states: dict[str, TransactionState], changes: Changes
) -> bool:
    data = envelope.data
    if isinstance(data, TransactionImported | TransactionSubmitted):
        return _origin(envelope, position, states, changes)
    if isinstance(data, TransactionScored):
        return _scored(envelope, position, states, changes)
    if isinstance(data, TransactionLabelled):
        return _labelled(envelope, position, states, changes)
    if isinstance(data, StepUpConcluded):
        return _concluded(envelope, position, states, changes)
    return True


def _origin(
    envelope: Envelope, position: Position, states: dict[str, TransactionState], changes: Changes
) -> bool:
    x = envelope.data.transaction
    key = x.transaction_id
    state = states.setdefault(key, TransactionState())
    if state.origin is not None:
        if envelope.known_time - state.origin.known_time <= HORIZON_US:
            return False
        changes.replaced.add(key)
        changes.ids.pop(key, None)
        changes.transactions.pop(key, None)
        changes.decisions.pop(key, None)
        changes.step_ups.pop(key, None)
        for event_id in state.labels:
            changes.labels.pop((key, event_id), None)
        state.outcome, state.stepped_up, state.labels = None, False, {}
    if x.timestamp >= changes.since:
        changes.transactions[key] = transaction_row(envelope, position)
        changes.ids[key] = x.timestamp, envelope.known_time
    elif envelope.known_time >= changes.since - ID_HORIZON_US:
        changes.ids[checked_id(key)] = x.timestamp, envelope.known_time
    state.origin = Origin(
        envelope.known_time, x.timestamp, x.base_amount, x.merchant_id, x.customer_id
    )
    return True


def _scored(
    envelope: Envelope, position: Position, states: dict[str, TransactionState], changes: Changes
) -> bool:
    x = envelope.data.transaction
    if x.timestamp < changes.since:
        return True
    key = x.transaction_id
    state = states.get(key)
    if state is None or state.origin is None or state.outcome is not None:
        return False
    if x.timestamp != state.origin.timestamp:
        # Of other content: its row would lie in another partition than the transaction's.
        return False
    changes.decisions[key] = decision_row(envelope, position)
    state.outcome = envelope.data.outcome
    return True


def _labelled(
    envelope: Envelope, position: Position, states: dict[str, TransactionState], changes: Changes
) -> bool:
    data = envelope.data
    if data.transaction_time < changes.since:
        return True
    state = states.setdefault(data.transaction_id, TransactionState())
    if envelope.id in state.labels:
        return False
    changes.labels[(data.transaction_id, envelope.id)] = label_row(envelope, position)
    state.labels[envelope.id] = (position.offset, data.value)
    return True


def _concluded(
    envelope: Envelope, position: Position, states: dict[str, TransactionState], changes: Changes
) -> bool:
    data = envelope.data
    if data.transaction_time < changes.since:
        return True
    state = states.get(data.transaction_id)
    if state is None or state.outcome is None or state.stepped_up:
        return False
    changes.step_ups[data.transaction_id] = step_up_row(envelope, position)
    state.stepped_up = True
    return True
