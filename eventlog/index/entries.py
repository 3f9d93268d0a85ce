"""Entries of the index: a digest of the transaction id, and the place of a record about it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.events import (
    Envelope,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from domain.features.events import digest
from domain.features.kernel.row_layout import BIAS

Ints = NDArray[np.int64]
Sorted = tuple[Ints, Ints]
"""Names, and the entry of each; by name."""

SUBMITTED, SCORED, OTHER = range(3)
"""What a record says: what may still be undecided, its decision, or anything else of the id."""

_KINDS = 2  # bits
_OTHERS = TransactionLabelled | StepUpConcluded
KIND_OF = {
    TransactionSubmitted.NAME: SUBMITTED,
    TransactionScored.NAME: SCORED,
    TransactionImported.NAME: OTHER,
    TransactionLabelled.NAME: OTHER,
    StepUpConcluded.NAME: OTHER,
}
"""Of the events that admission remembers, by their name."""


def name_of(transaction_id: str) -> int:
    """64 bits by which ids are told apart here: where two collide, the log tells them apart."""
    return digest(transaction_id) - BIAS


def about(envelope: Envelope) -> tuple[str, int] | None:
    """(transaction id, kind) of a record that admission remembers; None for any other."""
    data = envelope.data
    kind = KIND_OF.get(getattr(data, "NAME", ""))
    if kind is None:
        return None
    if isinstance(data, _OTHERS):
        return data.transaction_id, kind
    return data.transaction.transaction_id, kind


def entry_of(offset: int, kind: int) -> int:
    return offset << _KINDS | kind


def offset_of(entry: int) -> int:
    return entry >> _KINDS


def packed(offsets: Ints, kinds: Ints) -> Ints:
    """As `entry_of`, of many."""
    return (offsets << _KINDS) | kinds


def below(entries: Ints, offset: int) -> NDArray[np.bool_]:
    """Which of them lie below an offset."""
    return entries < offset << _KINDS


def in_order(names: Ints, entries: Ints) -> Sorted:
    order = np.argsort(names)
    return names[order], entries[order]


def sorted_pairs(pairs: Sequence[tuple[int, int]]) -> Sorted:
    """Of (name, entry)."""
    names, entries = np.array(pairs, np.int64).reshape(-1, 2).T
    return in_order(names, entries)


def joined(parts: Sequence[Sorted]) -> Sorted:
    """All of them, in order."""
    names = np.concatenate([each for each, _ in parts]) if parts else np.empty(0, np.int64)
    entries = np.concatenate([each for _, each in parts]) if parts else np.empty(0, np.int64)
    return in_order(names, entries)


def undecided(whole: Sorted) -> list[int]:
    """Offsets of submissions under names that have more of them than decisions."""
    names, entries = whole
    if not len(names):
        return []
    kinds = entries & ((1 << _KINDS) - 1)
    submitted = kinds == SUBMITTED
    begins = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    more = np.add.reduceat(submitted.astype(np.int64) - (kinds == SCORED), begins) > 0
    of_them = np.repeat(more, np.diff(np.r_[begins, len(names)]))
    return [offset_of(each) for each in entries[of_them & submitted].tolist()]
