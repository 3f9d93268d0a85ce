"""Facts of the POLICY topic, read under one rule about what is skipped.

The rule: a record that this version cannot decode is skipped, counted and logged once with its
offset. A later version wrote it, nothing here could act on it, and it must keep nobody from the
facts after it; the version of the policy stays that of the last fact. Anything else raises. A fact
that can be decoded is never skipped, even where what it names is unknown here.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.errors import UndecodableError
from domain.events import Envelope, Event, PolicyPublished
from domain.policy.snapshot import PolicySnapshot, fold
from eventlog.codec import decode
from eventlog.port import EventLog, Recorded, Tail
from eventlog.topics import POLICY, Topic

logger = logging.getLogger(__name__)

Fact = tuple[int, Envelope]
"""(offset, fact)."""
F = TypeVar("F", bound=Event)


@dataclass(frozen=True, slots=True)
class Published(Generic[F]):
    """A set, with the offset of the fact, which is its version, and when it was published."""

    version: int
    known_time: int
    fact: F


class PolicyTopic:
    """One reader of the topic, from its beginning: `read` to its end, then `poll` what follows.

    `skipped` counts the records that could not be decoded. One thread at a time.
    """

    def __init__(self, log: EventLog) -> None:
        self.skipped = 0
        self._log = log
        self._next = 0
        self._tail: Tail | None = None

    def read(self) -> Iterator[Fact]:
        """Up to the end as of the call. Raises LogUnavailableError; another call goes on."""
        yield from self._facts(self._log.read(POLICY, {0: self._next}))

    def poll(self, timeout: float) -> list[Fact]:
        """What has come since, waiting at most `timeout` seconds. Raises LogUnavailableError;
        another call goes on. The thread that polls is the one that must close."""
        if self._tail is None:
            self._tail = self._log.tail(POLICY, {0: self._next})
        return list(self._facts(self._tail.poll(timeout=timeout)))

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def _facts(self, records: Iterable[Recorded]) -> Iterator[Fact]:
        for recorded in records:
            offset = recorded.position.offset
            self._next = offset + 1
            try:
                fact = decode(recorded.value)
            except UndecodableError as error:
                self.skipped += 1
                logger.error("policy: the record at offset %d is skipped: %s", offset, error)
                continue
            yield offset, fact


def facts(log: EventLog) -> Iterator[Fact]:
    """The whole topic as of the call. Raises LogUnavailableError."""
    return PolicyTopic(log).read()


def published(log: EventLog, kind: type[F], until: int | None = None) -> Iterator[Published[F]]:
    """All sets of a kind up to a known time (us), oldest first. Raises LogUnavailableError."""
    for offset, envelope in facts(log):
        for each in each_of(envelope.data):
            if isinstance(each, kind) and (until is None or envelope.known_time <= until):
                yield Published(offset, envelope.known_time, each)


def each_of(data: Event) -> Sequence[Event]:
    """The sets that a fact publishes together, else the fact itself."""
    return data.sets() if isinstance(data, PolicyPublished) else [data]


def append_fact(
    log: EventLog,
    fact: Event,
    event_id: str,
    source: str,
    subject: str,
    known_time: int,
    topic: Topic = POLICY,
) -> None:
    """Returns once it is acknowledged. Raises LogUnavailableError."""
    envelope = Envelope(
        id=event_id,
        source=source,
        subject=subject,
        time=known_time,
        known_time=known_time,
        data=fact,
        correlation_id=event_id,
    )
    log.append_nowait(topic, None, envelope)
    log.flush()


def current_policy(log: EventLog) -> PolicySnapshot:
    """The policy as of the end of the topic. Raises LogUnavailableError."""
    return fold((offset, fact.data) for offset, fact in facts(log))
