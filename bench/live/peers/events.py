"""Events as peers get them: who paid whom, how much and when, taken from the log."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from domain.events import TransactionImported, TransactionScored
from domain.features import Entity, entity_keys
from eventlog.codec import decode, glance
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS


class PeerEvent(msgspec.Struct, array_like=True):
    """`at` and `sent` in microseconds UTC; `sent` is set as it leaves."""

    payer: str
    merchant: str
    amount: int
    at: int
    sent: int = 0


class Feed(msgspec.Struct):
    """`history` was there before; `events` come at `rate`, the first of them as a warm-up."""

    history: list[PeerEvent]
    events: list[PeerEvent]
    rate: float
    seconds: float
    warm_up: float
    seed: int


def read_feed(file: Path) -> Feed:
    return msgspec.json.decode(file.read_bytes(), type=Feed)


def events_between(
    log: EventLog, start: Mapping[int, int], end: Mapping[int, int]
) -> Iterator[PeerEvent]:
    """Imported and decided transactions that name a payer and a merchant."""
    for recorded in log.read(TRANSACTIONS, start, end):
        if glance(recorded.value).name in (TransactionImported.NAME, TransactionScored.NAME):
            paid = decode(recorded.value).data.transaction
            keys = entity_keys(paid)
            if Entity.PAYER in keys and Entity.MERCHANT in keys:
                yield PeerEvent(
                    keys[Entity.PAYER], keys[Entity.MERCHANT], paid.base_amount, paid.timestamp
                )
