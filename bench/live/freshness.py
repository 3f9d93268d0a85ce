"""Freshness of folded states: from just before an append until the payer's state holds it.

Samples are of records of the log as they come. A state is read as any reader reads it, from Redis,
every few milliseconds until it holds the record: so a time is too long by that at the most.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from domain.errors import RetraceError
from domain.events import TransactionScored
from domain.features import Entity, entity_keys
from eventlog.codec import decode, glance
from eventlog.port import EventLog, Recorded
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from projections.online.port import StateReader

_LOOK_SECONDS, _IDLE_SECONDS = 0.004, 0.05
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that was `appended` (us) and is not in the state of `key` yet."""

    key: tuple[Entity, str]
    partition: int
    offset: int
    appended: int


@dataclass(slots=True)
class Samples:
    """When each that was seen was appended (us), and how long it took (ms); `unseen` were not."""

    seen: list[tuple[int, float]] = field(default_factory=list)
    unseen: int = 0

    def since(self, at: int) -> list[float]:
        """Milliseconds of those that were appended then (us) or later."""
        return [took for appended, took in self.seen if appended >= at]


@contextmanager
def sampling(log: EventLog, states: StateReader, every: int) -> Iterator[Samples]:
    """Watches each `every`-th decision from now on, until the end of the block.

    Raises RetraceError at the end where the log or the store did not answer.
    """
    samples, over, failed = Samples(), threading.Event(), list[RetraceError]()
    start = dict(enumerate(asyncio.run(log.ends(TRANSACTIONS))))

    def run() -> None:
        try:
            _watch(log, states, start, every, samples, over)
        except RetraceError as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="freshness")
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]


def _watch(
    log: EventLog,
    states: StateReader,
    start: dict[int, int],
    every: int,
    samples: Samples,
    over: threading.Event,
) -> None:
    waiting: list[Waiting] = []
    seen = 0
    tail = log.tail(TRANSACTIONS, start)
    try:
        while not over.is_set():
            for recorded in tail.poll(_LOOK_SECONDS if waiting else _IDLE_SECONDS):
                if glance(recorded.value).name == TransactionScored.NAME:
                    seen += 1
                    if seen % every == 0 and len(waiting) < _AT_ONCE:
                        waiting += _of(recorded)
            waiting = still_waiting(states, waiting, samples)
    finally:
        tail.close()
    samples.unseen = len(waiting)


def still_waiting(states: StateReader, waiting: list[Waiting], samples: Samples) -> list[Waiting]:
    """Those whose state does not hold their record yet; of the others the time is noted."""
    if not waiting:
        return []
    read = states.read([each.key for each in waiting])
    now, left = now_us(), []
    for each, state in zip(waiting, read.states, strict=True):
        if state.version.get(each.partition, -1) >= each.offset:
            samples.seen.append((each.appended, (now - each.appended) / 1e3))
        else:
            left.append(each)
    return left


def _of(recorded: Recorded) -> list[Waiting]:
    envelope, place = decode(recorded.value), recorded.position
    key = entity_keys(envelope.data.transaction).get(Entity.PAYER)
    if key is None:
        return []
    return [Waiting((Entity.PAYER, key), place.partition, place.offset, envelope.known_time)]
