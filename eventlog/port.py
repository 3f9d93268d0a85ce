"""The EventLog port: what every log adapter promises."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.events import Envelope
from domain.records import record
from eventlog.topics import Topic


@record(frozen=True, slots=True, order=True)
class Position:
    """A place in the log. `topic` is the full name and so names the generation."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored record; eventlog.codec.decode reads its value."""

    position: Position
    key: str | None
    value: bytes


class Appender(Protocol):
    """What a bulk writer needs of a log."""

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        """For bulk writers: blocks only while the send queue is full; see `flush`."""
        ...

    def flush(self, timeout: float = 60.0) -> None:
        """Waits until all appends are acknowledged; raises for any that failed since last time."""
        ...


class EventLog(Appender, Protocol):
    """Append-only, partitioned, durable.

    Order: records of one key keep the order of their appends by one process. Durability: an
    append that returned is acknowledged by all in-sync replicas. Errors: LogUnavailableError,
    also when the outcome is in doubt; the record may then be in the log all the same, and the
    caller retries under the same event id. Duplicates by event id are possible and are void for
    every reader (eventlog.admission.first_wins).
    """

    def append(
        self, topic: Topic, key: str | None, envelope: Envelope, partition: int | None = None
    ) -> Awaitable[Position]:
        """Sends at once (order is that of the calls); await the result for the acknowledgement."""
        ...

    def append_together(
        self, topic: Topic, key: str, envelopes: Sequence[Envelope]
    ) -> Sequence[Awaitable[Position]]:
        """As `append` of each in turn, in one request where the log has such a thing."""
        ...

    async def ends(self, topic: Topic) -> Sequence[int]:
        """Per partition the offset after the last acknowledged record, as of this call."""
        ...

    def bounds(self, topic: Topic) -> tuple[Sequence[int], Sequence[int]]:
        """Per partition the first offset that is stored, and the end as of this call. Blocking."""
        ...

    def read(
        self,
        topic: Topic,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> Iterator[Recorded]:
        """Bounded read of [start, end) per partition, in offset order within each partition.

        Missing entries mean the beginning and, for `end`, the end as of the call. Blocking.
        """
        ...

    def read_one(self, position: Position) -> Recorded:
        """Raises NotFoundError where nothing is stored there (any more). Blocking."""
        ...

    def read_few(self, position: Position, count: int) -> list[Recorded]:
        """As `read_one`, with those behind it: fewer where the log or what was fetched ends."""
        ...

    def tail(self, topic: Topic, start: Mapping[int, int], *, gathered: bool = False) -> Tail:
        """An endless reader of the partitions in `start`, each from its offset on.

        With `gathered` records come up to a quarter of a second later, many at a time: most of what
        reading a busy topic costs is to be woken.
        """
        ...

    def partition_of(self, topic: Topic, key: str) -> int:
        """murmur2 of the key, as Java's and aiokafka's default partitioners do."""
        ...

    def close(self) -> None: ...


class AppendTrace(Protocol):
    """Follows appends; a log that is given one asks it for each event. It never raises."""

    def header(self, topic: Topic, envelope: Envelope) -> bytes | None:
        """The traceparent that the record is to bear; None where it is not followed."""
        ...

    def appended(self, envelope: Envelope, sent: Future[Position]) -> None:
        """A record that bears one is on its way; `sent` is its acknowledgement."""
        ...


class InboxLog(EventLog, Protocol):
    """A log that also takes records of foreign producers, which are bytes and not our events."""

    def append_bytes(
        self, topic: Topic, key: str | None, value: bytes, partition: int | None = None
    ) -> Awaitable[Position]:
        """As `append`."""
        ...


class Tail(Protocol):
    """A blocking reader owned by one thread. Never skips; ends only by `close`."""

    def poll(self, timeout: float, most: int = 1000) -> list[Recorded]:
        """Returns as soon as anything is there (at most `most`), or an empty list at the timeout.

        Raises LogUnavailableError when the log has not answered; polling again goes on.
        """
        ...

    def close(self) -> None: ...
