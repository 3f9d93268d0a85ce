"""Admission: which record of a transaction id counts (the first), and which are void.

Per id, the first of {submitted, imported} is the origin. The first scored event made for the
origin's content (equal digest) is the decision, and an imported origin has none. Labels count
once per (reporter, reference) and use of the id, after its origin; of step-up results the first
that follows the decision counts. Everything else is void: skipped and counted, by every reader.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from domain.events import (
    Envelope,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.times import DAY

HORIZON_US = 400 * DAY
_NEVER = 1 << 62
# They count once by their event id, after the origin or the decision.
_ONCE = (TransactionLabelled, StepUpConcluded)
_ABOUT_IDS = (TransactionSubmitted, TransactionImported, TransactionScored)


# Many live long, and none refers to another: the garbage collector need not walk them.
class Known(msgspec.Struct, frozen=True, gc=False):
    """What a reader remembers of one transaction id. Offsets are within the id's partition.

    `mode` is `score` or `submit`, or `import` for an imported origin; `alert` for an alert's id.
    """

    digest: str
    mode: str
    partition: int
    origin_offset: int
    known_time: int
    scored_offset: int | None = None


class Memory(Protocol):
    """Keeps `Known` by transaction id and the offsets of each label by event id.

    A step-up result is remembered as a label is.
    """

    def prefetch(self, transaction_ids: Iterable[str], label_ids: Iterable[str]) -> None:
        """Looks up many ids at once, to save the cost of one by one; changes nothing else."""
        ...

    def known(self, transaction_id: str, /) -> Known | None: ...

    def put(self, transaction_id: str, known: Known, /) -> None: ...

    def admits_label(self, event_id: str, partition: int, offset: int, since: int) -> bool:
        """True where the label at this place is the first of its event id, or was when it was
        first read; remembers it.

        What lies below `since` is of an earlier use of the transaction id, and counts for that one.
        """
        ...


Place = tuple[int, int]
"""(partition, offset) in TRANSACTIONS."""


def is_first_label(places: Sequence[Place], place: Place, since: int) -> bool:
    """`places` are those of the event id that count so far, in the log's order."""
    return since <= place[1] and (not places or places[-1][1] < since)


def admits_origin(known: Known | None, envelope: Envelope, partition: int, offset: int) -> bool:
    """True where this submitted or imported record is the origin of its id."""
    return (
        known is None
        or (known.partition, known.origin_offset) == (partition, offset)
        or envelope.known_time - known.known_time > HORIZON_US
    )


def admits_scored(known: Known | None, digest: str, offset: int) -> bool:
    """True where this scored record is the decision of its id."""
    if known is None or known.mode == "import" or known.digest != digest:
        return False
    # A decision before its origin was void when it was first read, and stays void.
    if offset < known.origin_offset:
        return False
    return known.scored_offset is None or known.scored_offset == offset


class KeptMemory(Memory, Protocol):
    """A Memory that outlives its process, with the positions up to which it was read.

    What was not committed is lost as a whole. One thread owns it.
    """

    def label(self, event_id: str) -> Place | None:
        """The place of the last label of this event id that counts, or None."""
        ...

    def positions(self) -> dict[int, int]:
        """Per partition the offset of the next record to read."""
        ...

    def starts(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where to read on in these partitions; 0 where nothing was read."""
        ...

    def forget(self, partitions: Iterable[int]) -> None:
        """Drops all that is remembered of these partitions, with their positions."""
        ...

    def commit(self, positions: Mapping[int, int]) -> None:
        """Keeps what was put, and how far the log has been read, together."""
        ...

    def discard(self) -> None:
        """Closes it, and removes what is kept."""
        ...

    def close(self) -> None: ...


class Admission:
    """Takes records in offset order per partition; a record read again gets the same answer."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def expect(self, envelopes: Sequence[Envelope]) -> None:
        """Call before admitting a batch: one lookup instead of one for each record."""
        labels = [e.id for e in envelopes if type(e.data) in _ONCE]
        self._memory.prefetch([e.subject for e in envelopes], labels)

    def admit(self, envelope: Envelope, partition: int, offset: int) -> bool:
        """True where the record counts; remembers it. Events of other kinds always count."""
        data, memory = envelope.data, self._memory
        kind = type(data)
        if kind is TransactionLabelled:
            origin = memory.known(data.transaction_id)
            return origin is not None and memory.admits_label(
                envelope.id, partition, offset, origin.origin_offset
            )
        if kind is StepUpConcluded:
            origin = memory.known(data.transaction_id)
            decided = origin.scored_offset if origin else None
            # Also without a decision: what counted for an earlier use of the id still does.
            since = _NEVER if decided is None else decided
            return memory.admits_label(envelope.id, partition, offset, since)
        if kind not in _ABOUT_IDS:
            return True
        subject = data.transaction.transaction_id
        known = memory.known(subject)
        if kind is TransactionScored:
            if not admits_scored(known, data.digest, offset):
                return False
            assert known is not None
            if known.scored_offset is None:
                memory.put(subject, replace(known, scored_offset=offset))
            return True
        if not admits_origin(known, envelope, partition, offset):
            return False
        if known is None or (known.partition, known.origin_offset) != (partition, offset):
            mode = data.mode if kind is TransactionSubmitted else "import"
            memory.put(subject, Known(data.digest, mode, partition, offset, envelope.known_time))
        return True
