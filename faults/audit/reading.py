"""Naive reading of the log: which records count, are void or dead, straight from the contract.

It shares no line with the readers' own admission (eventlog/admission), so that each can show the
other to be wrong. Per use of a transaction id, the first of {submitted, imported} is its origin;
the first decision made for the origin's content counts, and an import has none; a label counts once
after the origin, and the first result of a step-up after the decision. An id may be used again once
the horizon has passed since its origin. Events of other kinds count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from domain.errors import UndecodableError
from domain.events import (
    AlertDelivered,
    AlertRaised,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
    RecordDeadLettered,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.features import Held, decode_held, feature_event
from eventlog.codec import decode
from eventlog.events_table import EventTable, TableBuilder
from eventlog.port import Position, Recorded
from faults.audit.evidence import Evidence, Place
from projections.ports import CheckedRecord, RecordStatus

Alert = AlertRaised | ModelAlertRaised
Delivery = AlertDelivered | ModelAlertDelivered
LetterPlace = tuple[str, int, int]
"""(origin, partition, offset)"""
_Status = Callable[["Fact"], RecordStatus]
# What the row of an event may raise on values that no state can hold.
_UNFOLDABLE = (ArithmeticError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Fact:
    """A record that counts."""

    partition: int
    offset: int
    envelope: Envelope

    @property
    def place(self) -> Place:
        return self.partition, self.offset

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"


@dataclass(slots=True)
class Life:
    """One use of a transaction id: its origin, the decision, and the labels by event id, in the
    order of the log; the result of a step-up."""

    origin: Fact
    decision: Fact | None = None
    labels: dict[str, Fact] = field(default_factory=dict)
    step_up: Fact | None = None

    @property
    def digest(self) -> str:
        return str(self.origin.envelope.data.digest)

    @property
    def imported(self) -> bool:
        return isinstance(self.origin.envelope.data, TransactionImported)


@dataclass(slots=True)
class Raised:
    """An alert that counts, and its delivery."""

    alert: Fact
    delivery: Fact | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """`lives` by transaction id, in the order of the log.

    `letters` are the dead letters by the place of their original. `events` are what features fold,
    by partition and offset; `unfoldable` what counts and no state can hold.
    """

    transactions: Sequence[Sequence[CheckedRecord]]
    alerts: Sequence[Sequence[CheckedRecord]]
    lives: Mapping[str, Sequence[Life]]
    raised: Mapping[str, Sequence[Raised]]
    letters: Mapping[LetterPlace, Sequence[RecordDeadLettered]]
    events: EventTable
    unfoldable: frozenset[Place]

    @property
    def ends(self) -> list[int]:
        """Per partition of the transactions the offset after the last record."""
        return [end_of(records) for records in self.transactions]

    def decisions(self) -> Iterator[tuple[Life, Fact]]:
        """Every decision that counts, with the use of the id that it is of."""
        for lives in self.lives.values():
            for life in lives:
                if life.decision is not None:
                    yield life, life.decision

    def labels(self) -> Iterator[Fact]:
        """Every label that counts."""
        for lives in self.lives.values():
            for life in lives:
                yield from life.labels.values()


def read(evidence: Evidence) -> Reading:
    fold = _Transactions(evidence.horizon)
    transactions = [_checked(records, fold.status) for records in evidence.transactions]
    alerts = _Alerts(evidence.horizon)
    events, unfoldable = _events(transactions)
    return Reading(
        transactions,
        [_checked(records, alerts.status) for records in evidence.alerts],
        fold.lives,
        alerts.raised,
        _letters(evidence.dead_letters),
        events,
        unfoldable,
    )


@lru_cache(maxsize=4096)
def held_in(text: str) -> Held:
    """As decode_held: the entities of a decision mostly have one and the same text."""
    return decode_held(text)


def end_of(records: Sequence[CheckedRecord]) -> int:
    return records[-1].position.offset + 1 if records else 0


class _Transactions:
    """The fold of one topic of transactions, each partition in the order of its offsets."""

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self.lives: dict[str, list[Life]] = {}

    def status(self, fact: Fact) -> RecordStatus:
        data = fact.envelope.data
        if isinstance(data, TransactionSubmitted | TransactionImported):
            return self._origin(data.transaction.transaction_id, fact)
        if isinstance(data, TransactionScored):
            return self._scored(self.lives.get(data.transaction.transaction_id), fact)
        if isinstance(data, TransactionLabelled):
            lives = self.lives.get(data.transaction_id)
            first = lives[-1].labels.setdefault(fact.envelope.id, fact) if lives else None
            return "counts" if first is fact else "void"
        if isinstance(data, StepUpConcluded):
            return self._concluded(self.lives.get(data.transaction_id), fact)
        return "counts"

    def _origin(self, transaction_id: str, fact: Fact) -> RecordStatus:
        lives = self.lives.setdefault(transaction_id, [])
        if lives:
            since = fact.envelope.known_time - lives[-1].origin.envelope.known_time
            if since <= self._horizon:
                return "void"
        lives.append(Life(fact))
        return "counts"

    def _scored(self, lives: Sequence[Life] | None, fact: Fact) -> RecordStatus:
        if not lives or lives[-1].imported or lives[-1].decision is not None:
            return "void"
        if lives[-1].digest != fact.envelope.data.digest:
            return "void"
        lives[-1].decision = fact
        return "counts"

    def _concluded(self, lives: Sequence[Life] | None, fact: Fact) -> RecordStatus:
        if not lives or lives[-1].decision is None or lives[-1].step_up is not None:
            return "void"
        lives[-1].step_up = fact
        return "counts"


class _Alerts:
    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self.raised: dict[str, list[Raised]] = {}

    def status(self, fact: Fact) -> RecordStatus:
        data = fact.envelope.data
        if isinstance(data, Alert):
            known = self.raised.setdefault(data.alert_id, [])
            if known:
                since = fact.envelope.known_time - known[-1].alert.envelope.known_time
                if since <= self._horizon:
                    return "void"
            known.append(Raised(fact))
        elif isinstance(data, Delivery):
            known = self.raised.get(data.alert_id, [])
            if not known or known[-1].delivery is not None:
                return "void"
            known[-1].delivery = fact
        return "counts"


def _checked(records: Sequence[Recorded], status: _Status) -> list[CheckedRecord]:
    return [_one(recorded.position, recorded.value, status) for recorded in records]


def _one(place: Position, value: bytes, status: _Status) -> CheckedRecord:
    try:
        envelope = decode(value)
    except UndecodableError:
        return CheckedRecord(place, None, "dead")
    return CheckedRecord(place, envelope, status(Fact(place.partition, place.offset, envelope)))


def _letters(records: Sequence[Recorded]) -> dict[LetterPlace, list[RecordDeadLettered]]:
    letters: dict[LetterPlace, list[RecordDeadLettered]] = {}
    for recorded in records:
        try:
            letter = decode(recorded.value).data
        except UndecodableError:
            continue
        if isinstance(letter, RecordDeadLettered):
            place = letter.origin, letter.partition, letter.offset
            letters.setdefault(place, []).append(letter)
    return letters


def _events(transactions: Sequence[Sequence[CheckedRecord]]) -> tuple[EventTable, frozenset[Place]]:
    builder = TableBuilder()
    unfoldable: set[Place] = set()
    for records in transactions:
        for record in records:
            if record.status != "counts" or record.envelope is None:
                continue
            place = record.position.partition, record.position.offset
            try:
                event = feature_event(record.envelope)
                if event is not None:
                    builder.add(*place, event)
            except _UNFOLDABLE:
                unfoldable.add(place)
    return builder.table(), frozenset(unfoldable)
