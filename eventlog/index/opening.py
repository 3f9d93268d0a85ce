"""Opening of a partition's index: from its file, or from the archive where that is far ahead.

Either is made from this log, or it is not gone on from: the position lies within what Kafka holds,
and the record before it, where Kafka still has it, is the one that was there.
"""

import logging
from dataclasses import dataclass

from domain.errors import IntegrityError, LogUnavailableError, NotFoundError, UnavailableError
from eventlog.index.blocks import Block, Reached, blocks, mark_of
from eventlog.index.entries import Sorted, joined
from eventlog.index.ports import Archived, IndexFiles
from eventlog.port import EventLog, Position
from eventlog.topics import TRANSACTIONS

logger = logging.getLogger(__name__)

# So many records are read from the log sooner than an index is made anew.
FAR = 20_000
_MANY_BLOCKS = 1_000
EMPTY = joined([])


@dataclass(frozen=True, slots=True)
class Opened:
    """`size` and `check` are those of the file; `whole` where the file is to be written anew."""

    entries: Sorted
    reached: Reached
    size: int = 0
    check: int = 0
    whole: bool = False


class Opening:
    """Blocking. Raises LogUnavailableError, IntegrityError for a file of another log. `far` is how
    many records ahead of its file the archive is to be."""

    def __init__(
        self, log: EventLog, files: IndexFiles, archived: Archived, far: int = FAR
    ) -> None:
        self._log, self._files, self._archived, self._far = log, files, archived, far

    def open(self, partition: int) -> Opened:
        held = list(blocks(self._files.read(partition)))
        reached = held[-1].reached if held else Reached()
        if wrong := self._another_log(partition, reached):
            raise IntegrityError(
                f"the index of ids of {TRANSACTIONS.name}/{partition} {wrong}: it belongs to "
                "another log, and is made anew"
            )
        firsts, ends = self._log.bounds(TRANSACTIONS)
        first, near = firsts[partition], reached.next + self._far
        if reached.next >= first:
            far = ends[partition] > near
            return (self._from_archive(partition, near) if far else None) or _of_file(held, reached)
        opened = self._from_archive(partition, first - 1)
        if opened is None:
            raise LogUnavailableError(
                f"offsets {reached.next} to {first - 1} of {TRANSACTIONS.name}/{partition} are not "
                "in the log any more, and its archive does not tell of them: restore the archive"
            )
        return opened

    def _from_archive(self, partition: int, near: int) -> Opened | None:
        """None where it does not reach further than `near`, is away, or is of another log."""
        try:
            if self._archived.next(partition) <= near:
                return None
            found = self._archived.entries(partition)
        except (UnavailableError, NotFoundError, IntegrityError) as error:
            logger.warning(
                "the index of partition %d is not from the archive: %s", partition, error
            )
            return None
        if wrong := self._another_log(partition, found.reached):
            logger.error("the archive is not used: its partition %d %s", partition, wrong)
            return None
        return Opened(found.entries, found.reached, whole=True)

    def _another_log(self, partition: int, reached: Reached) -> str:
        """Why it is of another log; empty where nothing shows it."""
        firsts, ends = self._log.bounds(TRANSACTIONS)
        if reached.next > ends[partition]:
            return f"reaches to offset {reached.next}, and the log ends at {ends[partition]}"
        if reached.last < firsts[partition]:
            # What was there is deleted by retention, or nothing was read.
            return ""
        try:
            there = self._log.read_one(Position(TRANSACTIONS.name, partition, reached.last))
        except NotFoundError:
            return f"was made from a record at offset {reached.last}, and the log has none there"
        if mark_of(there.value) != reached.mark:
            return f"was made from another record than the log has at offset {reached.last}"
        return ""


def _of_file(held: list[Block], reached: Reached) -> Opened:
    if not held:
        return Opened(EMPTY, reached)
    if len(held) == 1:
        return Opened(held[0].entries, reached, held[0].end, held[0].check)
    entries = joined([each.entries for each in held])
    return Opened(entries, reached, held[-1].end, held[-1].check, len(held) > _MANY_BLOCKS)
