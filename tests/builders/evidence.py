"""True evidence of a small system, made by the product's own code: the audit finds it sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain.alerts import alert_of
from domain.events import (
    AlertDelivered,
    Envelope,
    TransactionImported,
    TransactionLabelled,
    TransactionSubmitted,
    caused_event_id,
)
from domain.features import (
    CATALOGUE,
    Entity,
    EntityState,
    encode_held,
    entity_keys,
    feature_event,
    finish,
)
from domain.features.kernel.ordering import overruled
from domain.features.rows import rows_of
from domain.times import SECOND
from domain.transactions import Transaction
from eventlog.admission.first_wins import Admission
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.codec import encode
from eventlog.dead_letters import DeadRecord, dead_letter_event
from eventlog.partitioning import partition_for
from eventlog.port import Position, Recorded
from eventlog.topics import (
    ALERTS,
    DEAD_LETTERS,
    ENTITIES,
    INBOX_TRANSACTIONS,
    TOPICS,
    TRANSACTIONS,
    Topic,
)
from faults.audit.auditing import audit
from faults.audit.evidence import (
    Answer,
    Evidence,
    MemoryEvidence,
    Post,
    ProjectionEvidence,
    VectorRow,
)
from projections.offline.entity_states import EntityStates
from projections.offline.ideal_fold import Due, IdealFold
from projections.online.port import Marker, Markers
from projections.ports import CheckedRecord, Counts
from projections.readmodels.fold.alerts import fold as fold_alerts
from tests.fakes.events import NOW, scored, submitted, transaction

KEY = b"key of the dead letters"
READER = "readmodels"
DAMAGED = b"no record of ours"
APART = 10 * SECOND


def _empty() -> dict[str, list[list[Recorded]]]:
    return {topic.name: [[] for _ in range(topic.partitions)] for topic in TOPICS}


@dataclass
class System:
    """Appends as the processes would, each thing seen everywhere at once."""

    topics: dict[str, list[list[Recorded]]] = field(default_factory=_empty)
    checked: dict[str, list[list[CheckedRecord]]] = field(
        default_factory=lambda: {name: [[] for _ in each] for name, each in _empty().items()}
    )
    now: int = NOW
    memory: SqliteMemory = field(default_factory=lambda: SqliteMemory(None))
    states: dict[tuple[Entity, str], EntityState] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=dict)

    def append(self, envelope: Envelope, topic: Topic = TRANSACTIONS) -> Position:
        envelope = self._dated(envelope)
        partition = partition_for(envelope.subject, topic.partitions)
        place = self.put(topic, partition, encode(envelope), envelope.subject)
        counts = topic is not TRANSACTIONS or self._fold(envelope, place)
        record = CheckedRecord(place, envelope, "counts" if counts else "void")
        self.checked[topic.name][partition].append(record)
        return place

    def _dated(self, envelope: Envelope) -> Envelope:
        """A label carries the time of its transaction."""
        data = envelope.data
        if isinstance(data, TransactionSubmitted | TransactionImported):
            self.times[envelope.subject] = data.transaction.timestamp
        if not isinstance(data, TransactionLabelled) or envelope.subject not in self.times:
            return envelope
        return replace(envelope, data=replace(data, transaction_time=self.times[envelope.subject]))

    def put(self, topic: Topic, partition: int, value: bytes, key: str | None = None) -> Position:
        records = self.topics[topic.name][partition]
        records.append(Recorded(Position(topic.name, partition, len(records)), key, value))
        return records[-1].position

    def damage(self, topic: Topic, partition: int, reader: str) -> None:
        """A record that nobody can decode, and what its reader does with it."""
        place = self.put(topic, partition, DAMAGED)
        self.checked[topic.name][partition].append(CheckedRecord(place, None, "dead"))
        self.set_aside(place, reader, DAMAGED)

    def set_aside(self, place: Position, reader: str, original: bytes) -> None:
        record = DeadRecord(
            reader=reader,
            origin=place.topic,
            partition=place.partition,
            offset=place.offset,
            reason="cannot be used",
            original=original,
        )
        self.put(DEAD_LETTERS, 0, encode(dead_letter_event(record, KEY, self.now)))

    def pay(self, number: int, outcome: str = "approve", blind: bool = False) -> Envelope:
        """Submitted, decided, answered; and its alert raised, posted and delivered."""
        self.now += APART
        sent, x = self.now, payment(number, self.now)
        submission = submission_of(x, self.now)
        self.append(submission)
        self.now += SECOND // 10
        decision = self.decide(x, outcome, {} if blind else None)
        self.append(decision)
        self.now += SECOND // 10
        told: dict[str, Any] = {"transaction_id": x.transaction_id, "digest": digest_of(x)}
        self.answers.append(
            Answer(kind="scored", sent=sent, at=self.now, decision=decision, **told)
        )
        self.alert(decision)
        return decision

    def decide(
        self, x: Transaction, outcome: str = "approve", seen: Mapping[int, int] | None = None
    ) -> Envelope:
        """Of all that is in the log; or, where `seen` is given, of nothing."""
        keys = {e: key for e, key in entity_keys(x).items() if e in CATALOGUE.by_entity}
        held = {} if seen is not None else self.states
        states = {e: held.get((e, key), EntityState(e, key)) for e, key in keys.items()}
        versions = self.covered() if seen is None else seen
        made = scored(x.transaction_id, digest_of(x), outcome=outcome, known_time=self.now)
        data = replace(
            made.data,
            transaction=x,
            feature_set=CATALOGUE.hash,
            features=finish(states, x),
            versions={entity.value: encode_held(versions) for entity in keys},
        )
        return replace(made, data=data)

    def alert(self, decision: Envelope) -> None:
        alert = alert_of(decision, "tests", self.now)
        if alert is None:
            return
        self.append(alert, ALERTS)
        self.now += SECOND
        self.posts.append(Post(key=alert.id, at=self.now))
        data = AlertDelivered(
            alert_id=alert.id, transaction_id=alert.subject, receiver="tests", attempts=1
        )
        named: dict[str, Any] = {"id": caused_event_id(alert.id, AlertDelivered), "data": data}
        timed: dict[str, Any] = {"time": self.now, "known_time": self.now}
        self.append(replace(alert, **named, **timed), ALERTS)

    def label(self, envelope: Envelope, duplicate: bool = False) -> None:
        if not duplicate:
            self.append(envelope)
        told: dict[str, Any] = {
            "label_id": envelope.id,
            "duplicate": duplicate,
            "sent": self.now,
            "at": self.now,
        }
        self.answers.append(Answer(kind="label", transaction_id=envelope.subject, **told))

    def covered(self) -> dict[int, int]:
        """Per partition the last offset, where there is one."""
        held = self.topics[TRANSACTIONS.name]
        return {partition: len(each) - 1 for partition, each in enumerate(held) if each}

    def _fold(self, envelope: Envelope, place: Position) -> bool:
        counts = Admission(self.memory).admit(envelope, place.partition, place.offset)
        event = feature_event(envelope)
        if counts and event is not None:
            for key in entity_keys(event).items():
                if key[0] in CATALOGUE.by_entity:
                    state = self.states.setdefault(key, EntityState(*key))
                    state.fold(place.partition, place.offset, event)
        return counts

    def evidence(self) -> Evidence:
        checked = self.checked[TRANSACTIONS.name]
        facts = [r.envelope for each in checked for r in each if r.status == "counts"]
        labels = [e.data for e in facts if e and isinstance(e.data, TransactionLabelled)]
        alerts = self.checked[ALERTS.name]
        return Evidence(
            now=self.now,
            transactions=self.topics[TRANSACTIONS.name],
            alerts=self.topics[ALERTS.name],
            dead_letters=self.topics[DEAD_LETTERS.name][0],
            inbox=self.topics[INBOX_TRANSACTIONS.name],
            answers=self.answers,
            posts=self.posts,
            states={key: state.to_bytes() for key, state in self.states.items()},
            markers=self._markers(),
            vectors=vectors_of(checked),
            read_models={
                "transactions": projection(TRANSACTIONS, checked, [_counted(c) for c in checked]),
                "alerts": projection(ALERTS, alerts, [_folded(c) for c in alerts]),
            },
            labels={data.transaction_id: data.value for data in labels},
            memories=[self._remembered(checked)],
            dead_letter_key=KEY,
        )

    def _markers(self) -> Markers:
        at = {shard: Marker(7, self.covered()) for shard in range(ENTITIES.partitions)}
        return Markers(at, frozenset())

    def _remembered(self, checked: Sequence[Sequence[CheckedRecord]]) -> MemoryEvidence:
        facts = [r.envelope for records in checked for r in records if r.envelope]
        labels = [e.id for e in facts if isinstance(e.data, TransactionLabelled)]
        return MemoryEvidence(
            name="scorer",
            positions={partition: len(records) for partition, records in enumerate(checked)},
            known={e.subject: it for e in facts if (it := self.memory.known(e.subject))},
            labels={each: place for each in labels if (place := self.memory.label(each))},
        )


def found(evidence: Evidence) -> dict[str, list[str]]:
    """What the audit finds, by check."""
    by_check: dict[str, list[str]] = {}
    for finding in audit(evidence):
        by_check.setdefault(finding.check, []).append(finding.what)
    return by_check


def payment(number: int, moment: int) -> Transaction:
    return transaction(
        f"t-{number}",
        timestamp=moment,
        base_amount=1000 + 7 * number,
        card_id=f"c-{number % 5}",
        customer_id=f"u-{number % 4}" if number % 3 else None,
        merchant_id=f"m-{number % 3}",
        device_id=f"d-{number % 7}",
        ip=f"10.0.0.{number % 6}",
        country="DE",
    )


def digest_of(x: Transaction) -> str:
    return f"digest of {x.transaction_id}"


def submission_of(x: Transaction, known_time: int, **fields: Any) -> Envelope:
    made = submitted(x.transaction_id, digest_of(x), known_time=known_time, **fields)
    return replace(made, data=replace(made.data, transaction=x))


def vectors_of(checked: Sequence[Sequence[CheckedRecord]]) -> dict[str, VectorRow]:
    facts = [(r, feature_event(r.envelope)) for each in checked for r in each if r.envelope]
    events = [(r.position, e) for r, e in facts if e is not None and r.status == "counts"]
    events.sort(key=lambda each: (each[1].known_time, each[0].partition, each[0].offset))
    late = set(overruled(rows_of((at.partition, at.offset, e) for at, e in events)).tolist())
    due = [Due(e, e.label is None, n in late, entity_keys(e)) for n, (_, e) in enumerate(events)]
    made = IdealFold(CATALOGUE, EntityStates(CATALOGUE.entities)).fold(due)
    return {
        name: VectorRow(known=known, values=row)
        for name, known, row in zip(made.ids, made.known, made.values.tolist(), strict=True)
    }


def projection(
    topic: Topic, checked: Sequence[Sequence[CheckedRecord]], counts: Sequence[Counts]
) -> ProjectionEvidence:
    return ProjectionEvidence(
        reader=READER,
        topic=topic.name,
        positions={partition: len(records) for partition, records in enumerate(checked)},
        counts=dict(enumerate(counts)),
    )


def _folded(records: Sequence[CheckedRecord]) -> Counts:
    return next(iter(fold_alerts(records, {}, ()).counts.values()), Counts())


def _counted(records: Sequence[CheckedRecord]) -> Counts:
    return Counts(*([r.status for r in records].count(s) for s in ("counts", "void", "dead")))
