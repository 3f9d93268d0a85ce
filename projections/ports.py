"""Port of a batch projection, and the checked records that a worker hands to it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from domain.errors import UndecodableError
from domain.events import Envelope
from eventlog.port import Position

RecordStatus = Literal["counts", "void", "dead"]
Ends = Callable[[], Awaitable[Sequence[int]]]
"""The offset after the last record of each partition of TRANSACTIONS. Raises UnavailableError."""


@dataclass(frozen=True, slots=True)
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
    """Records of a batch do not fit the store; `reasons` by offset. Nothing was committed.

    The caller dead-letters them, gives them the status `dead` and hands the batch in again.
    """

    def __init__(self, reasons: Mapping[int, str]) -> None:
        first = min(reasons)
        super().__init__(f"{len(reasons)} record(s), first at offset {first}: {reasons[first]}")
        self.reasons = dict(reasons)


class BatchProjection(Protocol):
    """State in one store that follows one topic. Blocking; one thread per partition at a time.

    Exactly once: rows, counts and position become visible together, or (evidence) rows are
    idempotent and the position is written after them. Handing a batch in again, whole or in part,
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

    def project(self, partition: int, batch: Sequence[CheckedRecord]) -> None:
        """Folds records in offset order; those below the committed position are skipped.

        Raises FencedError (the partition is not ours: drop the batch, stop), UnavailableError
        (nothing or all of it is committed: hand the same batch in again) or UnfoldableError.
        """
        ...

    def revoke(self, partition: int) -> None:
        """Forgets the partition; never fails. What was committed stays."""
        ...
