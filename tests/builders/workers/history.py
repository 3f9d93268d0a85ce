"""Seeded history on a test's log, and the states that follow from it, folded directly."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from domain.events import Envelope, TransactionImported, TransactionLabelled, TransactionScored
from domain.features import (
    CATALOGUE,
    Entity,
    EntityState,
    FeatureEvent,
    entity_keys,
    feature_event,
    finish,
)
from domain.times import DAY
from domain.transactions import Transaction
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.admission.first_wins import Admission
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.codec import decode
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from projections.online.port import StateStore
from tests.fakes.events import imported, labelled, scored, submitted

START = 1_690_000_000_000_000
Key = tuple[Entity, str]


def transaction(number: int, cards: int = 40) -> Transaction:
    chance = random.Random(number)
    card = chance.randrange(cards)
    amount = chance.randrange(1, 90_000)
    return Transaction(
        transaction_id=f"t{number}",
        timestamp=START + number * 17_000_000,
        amount=amount,
        currency="EUR",
        base_amount=amount,
        card_id=f"c{card}",
        customer_id=f"k{card // 2}",
        merchant_id=f"m{chance.randrange(12)}",
        device_id=f"d{card}" if card % 3 else None,
        ip=f"10.0.0.{card}",
        country=chance.choice(["DE", "FR", "PT"]),
        lat=40.0 + chance.random() * 10,
        lon=chance.random() * 10,
        channel=chance.choice(["ecom", "pos"]),
    )


def lay_down(log: KafkaEventLog, numbers: range) -> None:
    """Imports, every ninth of them twice, and a label for every seventh a day later."""
    for number in numbers:
        made = transaction(number)
        for _ in range(2 if number % 9 == 0 else 1):
            data = TransactionImported(transaction=made, digest="d", origin="test", line=number)
            _append(log, imported(made.transaction_id), data, made.timestamp)
        if number % 7 == 0:
            label = TransactionLabelled.of(
                made, value=number % 2, kind="chargeback", reporter="bank", reference=f"r{number}"
            )
            fact = labelled(made.transaction_id, label.reference)
            _append(log, fact, label, made.timestamp + DAY)
    log.flush()


def decide(log: KafkaEventLog, numbers: range) -> None:
    """The payments of these numbers are submitted and decided live."""
    for number in numbers:
        made = transaction(number)
        known: dict[str, Any] = {"time": made.timestamp, "known_time": made.timestamp}
        fact = scored(made.transaction_id, **known)
        assert isinstance(fact.data, TransactionScored)
        fact = replace(fact, data=replace(fact.data, transaction=made, versions={}))
        log.append_nowait(TRANSACTIONS, fact.subject, submitted(made.transaction_id, **known))
        log.append_nowait(TRANSACTIONS, fact.subject, fact)
    log.flush()


def counting(log: EventLog) -> Iterator[tuple[int, int, Envelope, FeatureEvent]]:
    """(partition, offset, envelope, event) of what counts and is folded, by partition."""
    admission = Admission(SqliteMemory(None))
    for recorded in log.read(TRANSACTIONS):
        place = recorded.position
        envelope = decode(recorded.value)
        event = feature_event(envelope)
        if admission.admit(envelope, place.partition, place.offset) and event is not None:
            yield place.partition, place.offset, envelope, event


def folded(log: EventLog) -> dict[Key, EntityState]:
    """The states that the catalogue asks for."""
    states: dict[Key, EntityState] = {}
    for partition, offset, _, event in counting(log):
        for entity, key in entity_keys(event).items():
            if entity not in CATALOGUE.by_entity:
                continue
            state = states.setdefault((entity, key), EntityState(entity, key))
            state.fold(partition, offset, event)
    return states


def ideal(log: EventLog) -> dict[str, list[float | None]]:
    """The vector of each transaction from all that was known before it."""
    states: dict[Key, EntityState] = {}
    vectors: dict[str, list[float | None]] = {}
    for partition, offset, envelope, event in sorted(
        counting(log), key=lambda each: (each[2].known_time, each[0], each[1])
    ):
        mine = {
            entity: states.setdefault((entity, key), EntityState(entity, key))
            for entity, key in entity_keys(event).items()
        }
        if isinstance(envelope.data, TransactionImported):
            made = envelope.data.transaction
            vectors[made.transaction_id] = finish(mine, made)
        for state in mine.values():
            state.fold(partition, offset, event)
    return vectors


def until(condition: Callable[[], bool], seconds: float = 60.0, what: str = "it") -> None:
    """Waits for a condition of other processes; fails the test where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds:g} s"
        time.sleep(0.05)


def _append(
    log: KafkaEventLog, fact: Envelope, data: TransactionImported | TransactionLabelled, known: int
) -> None:
    fact = replace(fact, data=data, time=known, known_time=known)
    log.append_nowait(TRANSACTIONS, fact.subject, fact)


def state_of(numbers: range, partition: int = 0, key: str = "c1") -> EntityState:
    state = EntityState(Entity.CARD, key)
    for number in numbers:
        envelope = imported(f"t{number}")
        event = feature_event(envelope)
        assert event is not None
        state.fold(partition, number, event._replace(card_id=key, order=number))
    return state


def save(states: StateStore, *given: EntityState) -> None:
    states.save([(state, state.to_bytes()) for state in given])
