"""Generated histories whose known times differ from their event times."""

from collections.abc import Iterable

from hypothesis import strategies as st

from domain.times import HOUR, MINUTE
from eventlog.events_table import EventTable, TableBuilder
from tests.builders.feature_streams import PARTITIONS, Placed, logs, times

EARLY = 5 * MINUTE  # how far event time may be ahead of known time


@st.composite
def histories(draw: st.DrawFn, reach: int = 9 * HOUR, size: int = 20) -> list[Placed]:
    """As `logs`, with known times apart from event times, many equal; labels reversed."""
    known: dict[str, int] = {}
    history: list[Placed] = []
    for placed in draw(logs(reach, size)):
        event = placed.event
        if event.kind == "transaction":
            at = known[event.transaction_id] = _learnt(draw, event.time, reach)
            history.append(_known(placed, at))
            continue
        history.append(_known(placed, max(known[event.transaction_id], draw(times(reach)))))
        if event.kind == "step_up":
            continue
        for _ in range(draw(st.integers(0, 2))):
            at = max(known[event.transaction_id], draw(times(reach)))
            history.append(_known(_flipped(_appended(history, placed)), at))
    return _with_own_offsets(history)


def _learnt(draw: st.DrawFn, time: int, reach: int) -> int:
    """At once, ahead of its time, with all of its hour, or at any moment later."""
    of_the_hour = -(-time // HOUR) * HOUR
    late = max(time - EARLY, draw(times(reach)))
    return draw(st.sampled_from([time, time - EARLY, of_the_hour, late]))


def _known(placed: Placed, at: int) -> Placed:
    event = placed.event
    time = event.time if event.label is None else at
    return placed._replace(event=event._replace(known_time=at, time=time))


def _appended(history: list[Placed], placed: Placed) -> Placed:
    """Another fact: the order of events within one time is by their ids."""
    order = placed.event.order ^ (len(history) + 1)
    return placed._replace(event=placed.event._replace(order=order))


def _with_own_offsets(history: list[Placed]) -> list[Placed]:
    ends = [0] * PARTITIONS
    for at, placed in enumerate(history):
        history[at] = placed._replace(offset=ends[placed.partition])
        ends[placed.partition] += 1
    return history


def _flipped(placed: Placed) -> Placed:
    """A label reversed, a transaction of another amount."""
    event = placed.event
    if event.label is None:
        return placed._replace(event=event._replace(base_amount=event.base_amount // 2 + 7))
    return placed._replace(event=event._replace(label=1 - event.label))


def place(placed: Placed) -> tuple[int, int, int]:
    return placed.event.known_time, placed.partition, placed.offset


def table(history: Iterable[Placed]) -> EventTable:
    builder = TableBuilder()
    for placed in history:
        builder.add(*placed)
    return builder.table()
