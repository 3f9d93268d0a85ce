"""TableLog: takes the events of a bulk writer and lays them out as a table, without a log.

An event gets the partition and offset that it would have in a topic of its own.
"""

from collections import Counter

from domain.events import Envelope
from domain.features import feature_event
from eventlog.events_table import EventTable, TableBuilder
from eventlog.partitioning import partition_for
from eventlog.topics import Topic


class TableLog:
    """Implements eventlog.port.Appender for one topic with keys. The writer must append no event
    twice."""

    def __init__(self) -> None:
        self._builder = TableBuilder()
        self._ends: Counter[int] = Counter()

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        assert key is not None
        partition = partition_for(key, topic.partitions)
        offset = self._ends[partition]
        self._ends[partition] = offset + 1
        event = feature_event(envelope)
        if event is not None:
            self._builder.add(partition, offset, event)

    def flush(self, timeout: float = 60.0) -> None:
        """All is laid out already."""

    def table(self) -> EventTable:
        return self._builder.table()
