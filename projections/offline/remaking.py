"""Vectors made anew: the whole past is folded once more, now in the ideal order.

Nothing less gives the same bits: a state cannot be taken back to an earlier moment, and one busy
merchant joins nearly all transactions of a time.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path

from domain.features import FeatureSet, entity_keys, feature_event
from eventlog.archive.history import CountingRecord
from projections.offline.entity_states import EntityStates
from projections.offline.ideal_fold import Due, IdealFold
from projections.offline.ideal_order import IdealOrder, Placed
from projections.offline.merge import is_wanted
from projections.offline.port import VectorRows
from projections.offline.state_file import scratch_states
from projections.offline.stragglers import Span

Past = Callable[[Sequence[int]], Awaitable[Iterator[CountingRecord]]]
"""What counts of TRANSACTIONS below these offsets, one per partition, in any order.

The iterator blocks. Both raise UnavailableError, IntegrityError for a damaged archive.
"""

_AT_ONCE = 10_000


def vectors_anew(
    features: FeatureSet, past: Iterable[CountingRecord], span: Span, scratch: Path | None
) -> Generator[VectorRows, None, None]:
    """The vectors within `span`, from what counts of the log, given in any order.

    What memory is not to hold lies in `scratch` and beside it; without it all is in memory. Raises
    what reading the past raises, and UnavailableError where the disk does not take it.
    """
    beside = None if scratch is None else scratch.with_suffix(".states")
    with scratch_states(beside) as file, IdealOrder(scratch) as ordered:
        kept = EntityStates(features.entities, file)
        fold = IdealFold(features, kept)
        ordered.add(_placed(past))
        late = ordered.overruled()
        for events in ordered.upto(span.upto, _AT_ONCE):
            rows = fold.fold(
                [
                    Due(
                        *(event, wanted and span.since <= place <= span.upto),
                        *(place in late, entity_keys(event)),
                    )
                    for place, wanted, event in events
                ]
            )
            if kept.full:
                kept.trim()
            if len(rows):
                yield rows


def _placed(past: Iterable[CountingRecord]) -> Iterator[Placed]:
    for record in past:
        event = feature_event(record.envelope)
        if event is not None:
            at = record.position
            place = (record.envelope.known_time, at.partition, at.offset)
            yield place, is_wanted(record.envelope), event
