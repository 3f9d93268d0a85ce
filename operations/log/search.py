"""Search in the log: by topic, event type, subject, partition and known time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge

import msgspec

from domain.errors import IntegrityError, InvalidInputError, UndecodableError
from domain.events.registry import registered
from domain.times import from_rfc3339
from eventlog.codec import glance
from eventlog.port import EventLog, Recorded
from eventlog.schemas.event_schemas import EVENTS_OF
from eventlog.topics import TOPICS, TRANSACTIONS, Topic

_WIDER = 4


class _KnownTime(msgspec.Struct):
    knowntime: str


_decode_known = msgspec.json.Decoder(_KnownTime).decode


@dataclass(frozen=True, slots=True)
class Search:
    """`types` are event names without version; empty or None means any.

    `partition` is that of `subject`; `since` a known time in microseconds; `offset` where
    `everything` begins.
    """

    topic: Topic
    types: frozenset[str] = frozenset()
    subject: str | None = None
    partition: int | None = None
    since: int | None = None
    offset: int = 0

    def partitions(self) -> Sequence[int]:
        return range(self.topic.partitions) if self.partition is None else [self.partition]

    def matches(self, record: Recorded) -> bool:
        if self.partition not in (None, record.position.partition):
            return False
        if self.since is not None and (_known(record) or 0) < self.since:
            return False
        if self.subject is None and not self.types:
            return True
        try:
            seen = glance(record.value)
        except UndecodableError:
            return False
        return self.subject in (None, seen.subject) and (not self.types or seen.name in self.types)


def topic_called(name: str | None, types: frozenset[str]) -> Topic:
    """By full name, base name or last part; without a name, the topic that holds `types`."""
    if name is None:
        for topic, events in EVENTS_OF.items():
            if types & {event.NAME for event in events}:
                return topic
        return TRANSACTIONS
    for topic in TOPICS:
        if name in (topic.name, topic.base, topic.base.removeprefix("retrace.")):
            return topic
    known = ", ".join(topic.base for topic in TOPICS)
    raise InvalidInputError("--topic", f"{name!r} is none of {known}")


def types_called(name: str | None) -> frozenset[str]:
    """`scored`, `transaction.scored`, or the whole wire name, with or without version."""
    if name is None:
        return frozenset()
    wanted = "." + name.rpartition(".v")[0] if name.rpartition(".v")[2].isdigit() else "." + name
    found = frozenset(each for each in registered() if f".{each}".endswith(wanted))
    if not found:
        raise InvalidInputError("--type", f"{name!r} is none of {', '.join(registered())}")
    return found


def newest(log: EventLog, search: Search, most: int, ends: Mapping[int, int]) -> list[Recorded]:
    """The last `most` matching records below `ends`. Reads further back until it has them."""
    window = most * _WIDER
    while True:
        start = {p: max(0, ends[p] - window) for p in search.partitions()}
        try:
            found = list(_matching(log, search, start, ends))
        except IntegrityError:  # records that old have expired: begin with the oldest kept
            start = dict.fromkeys(start, 0)
            found = list(_matching(log, search, start, ends))
        if len(found) >= most or not any(start.values()):
            return sorted(found, key=_when)[-most:]
        window *= _WIDER


def everything(log: EventLog, search: Search, ends: Mapping[int, int]) -> Iterator[Recorded]:
    """All matching records below `ends`, the partitions merged by known time."""
    each = [_matching(log, search, {p: search.offset}, ends) for p in search.partitions()]
    return merge(*each, key=_when)


def _matching(
    log: EventLog, search: Search, start: Mapping[int, int], ends: Mapping[int, int]
) -> Iterator[Recorded]:
    # No entry means the oldest record kept. A partition that is not searched gets an empty range.
    begin = {p: start.get(p, end) for p, end in ends.items() if start.get(p, end)}
    for record in log.read(search.topic, begin, ends):
        if search.matches(record):
            yield record


def _when(record: Recorded) -> tuple[int, int, int]:
    place = record.position
    return _known(record) or 0, place.partition, place.offset


def _known(record: Recorded) -> int | None:
    try:
        return from_rfc3339(_decode_known(record.value).knowntime)
    except (msgspec.MsgspecError, ValueError):
        return None
