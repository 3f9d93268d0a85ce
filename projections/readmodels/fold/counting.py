"""Counts of a batch: every record is projected, void or dead."""

from collections.abc import Callable, Iterable

from domain.events import Envelope
from eventlog.port import Position
from projections.ports import CheckedRecord, Counts, UnfoldableError


def count_each(
    batch: Iterable[CheckedRecord],
    counts: dict[int, Counts],
    step: Callable[[Envelope, Position], bool],
) -> None:
    """`step` folds one record that counts, and answers False where the rows make it void.

    Adds to `counts` by partition. Raises UnfoldableError naming every record whose step raised
    ValueError or OverflowError.
    """
    unfoldable: dict[Position, str] = {}
    for record in batch:
        found = counts.setdefault(record.position.partition, Counts())
        if record.status == "dead":
            found.dead += 1
        elif record.status == "void" or record.envelope is None:
            found.void += 1
        else:
            try:
                counted = step(record.envelope, record.position)
            except (ValueError, OverflowError) as error:
                unfoldable[record.position] = str(error)
                continue
            found.projected += counted
            found.void += not counted
    if unfoldable:
        raise UnfoldableError(unfoldable)
