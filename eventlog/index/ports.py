"""Ports of the index: where its files lie, and what the archive tells of the log."""

from dataclasses import dataclass
from typing import Protocol

from domain.errors import NotFoundError
from eventlog.index.blocks import Reached
from eventlog.index.entries import Sorted
from eventlog.port import Recorded


class IndexFiles(Protocol):
    """A file for each partition; those of one process, which alone writes them. Blocking.

    What `append` wrote may be lost with the power, in part too; what `replace` wrote is not. All
    but `read` raise UnavailableError where the disk does not take it.
    """

    def read(self, partition: int) -> memoryview:
        """Empty where there is none; it stays as it is, whatever is written later."""
        ...

    def append(self, partition: int, at: int, data: bytes) -> None:
        """From the byte `at` on; what was there is cut off."""
        ...

    def replace(self, partition: int, data: bytes) -> None:
        """As a whole: all or nothing."""
        ...

    def discard(self) -> None:
        """Removes all of them."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ArchivedEntries:
    """What counts of [0, reached.next) of one partition, in order."""

    entries: Sorted
    reached: Reached


class Archived(Protocol):
    """The archive of TRANSACTIONS, as far as an index needs it. Blocking.

    All raise UnavailableError, or IntegrityError for a file that is damaged or missing.
    """

    def next(self, partition: int) -> int:
        """The offset after the last that is archived without a gap."""
        ...

    def entries(self, partition: int) -> ArchivedEntries: ...

    def record(self, partition: int, offset: int) -> Recorded:
        """Raises NotFoundError for one that is not archived."""
        ...


class NoArchive:
    """Implements Archived: nothing is archived."""

    def next(self, partition: int) -> int:  # noqa: ARG002
        return 0

    def entries(self, partition: int) -> ArchivedEntries:
        raise NotFoundError("archive of partition", str(partition))

    def record(self, partition: int, offset: int) -> Recorded:
        raise NotFoundError("record", f"{partition}/{offset}")
