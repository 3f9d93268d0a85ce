"""Counts of a batch: every record is projected, void or dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.events import Envelope
from eventlog.port import Position
from projections.ports import Counts, Judged, UnfoldableError


def count_each(
    batch: Iterable[Judged], counts: Counts, step: Callable[[Envelope, Position], bool]
) -> None:
    """`step` folds one record that counts, and answers False where the rows make it void.

    Raises UnfoldableError naming every record whose step raised ValueError or OverflowError.
    """
    unfoldable: dict[int, str] = {}
    for judged in batch:
        if judged.verdict == "dead":
            counts.dead += 1
        elif judged.verdict == "void" or judged.envelope is None:
            counts.void += 1
        else:
            try:
                counted = step(judged.envelope, judged.position)
            except (ValueError, OverflowError) as error:
                unfoldable[judged.position.offset] = str(error)
                continue
            counts.projected += counted
            counts.void += not counted
    if unfoldable:
        raise UnfoldableError(unfoldable)
