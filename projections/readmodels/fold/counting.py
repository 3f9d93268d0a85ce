"""Counts of a batch: every record is projected, void or dead."""

from collections.abc import Callable, Iterable

from domain.events import Envelope
from eventlog.port import Position
from projections.ports import CheckedRecord, Counts, UnfoldableError


def count_each(
    batch: Iterable[CheckedRecord], counts: Counts, step: Callable[[Envelope, Position], bool]
) -> None:
    """`step` folds one record that counts, and answers False where the rows make it void.

    Raises UnfoldableError naming every record whose step raised ValueError or OverflowError.
    """
    unfoldable: dict[int, str] = {}
    for record in batch:
        if record.status == "dead":
            counts.dead += 1
        elif record.status == "void" or record.envelope is None:
            counts.void += 1
        else:
            try:
                counted = step(record.envelope, record.position)
            except (ValueError, OverflowError) as error:
                unfoldable[record.position.offset] = str(error)
                continue
            counts.projected += counted
            counts.void += not counted
    if unfoldable:
        raise UnfoldableError(unfoldable)
