"""Ports of a worker: its handlers of batches, and batch projections with their checked records."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from domain.errors import FencedError, UndecodableError
from domain.events import Envelope
from domain.records import record
from eventlog.batch import Batch
from eventlog.port import Position
from eventlog.topics import Topic

RecordStatus = Literal["counts", "void", "dead"]
Ends = Callable[[], Awaitable[Sequence[int]]]
"""The offset after the last record of each partition of TRANSACTIONS. Raises UnavailableError."""


@record(frozen=True, slots=True)
class CheckedRecord:
    """A record with its status. `envelope` is None where it could not be decoded.

    `counts` or `void` by the first-wins rule. `dead`: the dead-letter topic has acknowledged the
    record before it is handed over, so that advancing past it loses nothing.
    """

    position: Position
    envelope: Envelope | None
    status: RecordStatus


@dataclass(slots=True)
class Counts:
    """Of the records of a batch; each adds one to exactly one of them."""

    projected: int = 0
    void: int = 0
    dead: int = 0


class UnfoldableError(UndecodableError):
    """Records do not fit the store; `reasons` by position. Nothing was committed.

    The caller dead-letters them, gives them the status `dead` and hands all in again.
    """

    def __init__(self, reasons: Mapping[Position, str]) -> None:
        first = min(reasons)
        where = f"{first.partition}/{first.offset}"
        super().__init__(f"{len(reasons)} record(s), first at {where}: {reasons[first]}")
        self.reasons = dict(reasons)


class BatchProjection(Protocol):
    """State in one store that follows one topic. Blocking; one thread at a time.

    Exactly once: rows, counts and positions become visible together, or (evidence) rows are
    idempotent and positions are written after them. Handing records in again, all or some of them,
    changes nothing that is committed. Every record adds one to exactly one count.
    """

    @property
    def name(self) -> str: ...

    @property
    def topic(self) -> str:
        """Full name of the topic that it follows."""
        ...

    def assign(self, partition: int) -> int:
        """Takes the partition over and fences its former owner, in whatever process it is.

        Returns the offset of the next record to project. Raises UnavailableError.
        """
        ...

    def project(self, batches: Mapping[int, Sequence[CheckedRecord]]) -> None:
        """Folds the records of each partition in offset order; those below its committed position
        are skipped.

        Raises FencedError (a partition is not ours: drop its batch, stop), UnavailableError
        (of each partition nothing or all is committed: hand the same in again) or UnfoldableError.
        """
        ...

    def revoke(self, partition: int) -> None:
        """Forgets the partition; never fails. What was committed stays."""
        ...


def refuse_setback(
    projection: BatchProjection, left: Mapping[int, int], found: Mapping[int, int]
) -> None:
    """Refuses a store whose positions (`found`) lie before where the projection has `left` them: of
    a restored backup, or of a server that was killed and has lost its end. Going on would leave out
    what was committed in between. Raises FencedError."""
    for partition, start in found.items():
        if start < left[partition]:
            raise FencedError(
                f"{projection.name}: the position of partition {partition} of {projection.topic} "
                f"went back from {left[partition]} to {start}: assign the partition again"
            )


class BatchHandler(Protocol):
    """Folds the batches of one topic, those of several partitions at a time."""

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        """Takes these partitions over, all that this worker has from now on.

        Returns the offset at which to begin reading each. Raises UnavailableError.
        """
        ...

    async def handle(self, batches: Sequence[Batch]) -> None:
        """Folds and keeps what was fetched together, one batch of each partition.

        Raises UnavailableError: the same batches are handed in again. Raises FencedError where the
        store is not what it left: it is assigned again, in place.
        """
        ...

    async def revoke(self, partitions: set[int]) -> None:
        """Drops partitions that another worker owns from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Workload:
    """`beside` run as long as the worker does; one that fails ends the worker.

    `first` runs before the worker asks for partitions: it may take minutes after a long history,
    and would otherwise keep other workers from their partitions.
    """

    handlers: Mapping[Topic, BatchHandler]
    beside: Sequence[Callable[[], Awaitable[None]]] = ()
    first: Callable[[], Awaitable[None]] | None = None
