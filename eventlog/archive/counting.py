"""What counts of the archive, by type and event time: over columns, and of one event."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from domain.events import Envelope
from domain.features import feature_event


def mask_of(
    table: pa.Table, kinds: frozenset[str] | None, times: tuple[int, int] | None
) -> pa.ChunkedArray:
    """Of a table of the archive, which has the columns that are asked for, the rows that count.

    `kinds` are beginnings of event types, `times` [begin, end) of what features fold; None is all.
    """
    mask = pc.equal(table["verdict"].cast(pa.string()), "counts")
    if kinds is not None:
        types = table["type"].cast(pa.string())
        wanted = [pc.starts_with(types, kind) for kind in sorted(kinds)]
        of_kinds = wanted[0]
        for more in wanted[1:]:
            of_kinds = pc.or_(of_kinds, more)
        mask = pc.and_(mask, of_kinds)
    if times is not None:
        # What is not folded has no such time.
        time = pc.fill_null(table["time"], times[0])
        mask = pc.and_(mask, pc.greater_equal(time, times[0]))
        mask = pc.and_(mask, pc.less(time, times[1]))
    return mask


def wanted_of(
    kinds: frozenset[str] | None, times: tuple[int, int] | None
) -> Callable[[Envelope], bool]:
    """As `mask_of`, of one event."""

    def wanted(envelope: Envelope) -> bool:
        if kinds is not None and not any(envelope.type.startswith(kind) for kind in kinds):
            return False
        event = None if times is None else feature_event(envelope)
        return times is None or event is None or times[0] <= event.time < times[1]

    return wanted
