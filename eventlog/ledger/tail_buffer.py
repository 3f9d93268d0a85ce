"""TailBuffer: recent events by entity, for readers that fold them onto stored states."""

import threading
from collections import deque
from collections.abc import Sequence

from domain.features import FeatureEvent, entity_keys

Entry = tuple[int, int, FeatureEvent]
MOST = 100_000


class TailBuffer:
    """Implements commands.ports.RecentTail. `most` bounds the events held over all partitions.

    When the bound is reached the oldest are dropped and `starts` moves on: a reader whose stored
    state ends before it finds the gap and flags it. Thread-safe: one writer, many readers.
    """

    def __init__(self, starts: Sequence[int], most: int = MOST) -> None:
        self._starts = list(starts)
        self._ends = list(starts)
        self._most = most
        self._held = 0
        self._by_entity: dict[tuple[str, str], deque[Entry]] = {}
        self._by_partition: list[deque[tuple[int, list[tuple[str, str]]]]] = [
            deque() for _ in starts
        ]
        self._lock = threading.Lock()

    def starts(self) -> Sequence[int]:
        with self._lock:
            return tuple(self._starts)

    def ends(self) -> Sequence[int]:
        with self._lock:
            return tuple(self._ends)

    def entries(self, entity: str, key: str) -> list[Entry]:
        with self._lock:
            return list(self._by_entity.get((entity, key), ()))

    def add(self, partition: int, offset: int, event: FeatureEvent | None) -> None:
        """Notes that `offset` was read; `event` is None where it changes no feature."""
        with self._lock:
            if event is not None and offset >= self._ends[partition]:
                keys = [(str(entity), key) for entity, key in entity_keys(event).items()]
                self._by_partition[partition].append((offset, keys))
                for name in keys:
                    self._by_entity.setdefault(name, deque()).append((partition, offset, event))
                self._held += 1
            self._ends[partition] = max(self._ends[partition], offset + 1)
            if self._held > self._most:
                self._drop_oldest()

    def forget(self, partition: int, before: int) -> None:
        """Drops what lies below `before`; later calls with less are harmless."""
        with self._lock:
            held = self._by_partition[partition]
            while held and held[0][0] < before:
                self._pop(partition)
            bound = min(before, self._ends[partition])
            self._starts[partition] = max(self._starts[partition], bound)

    def _drop_oldest(self) -> None:
        fullest = max(range(len(self._starts)), key=lambda p: len(self._by_partition[p]))
        self._starts[fullest] = self._pop(fullest) + 1

    def _pop(self, partition: int) -> int:
        offset, keys = self._by_partition[partition].popleft()
        for name in keys:
            events = self._by_entity[name]
            # Within one entity, events of one partition leave in the order they came.
            events.remove(next(e for e in events if e[:2] == (partition, offset)))
            if not events:
                del self._by_entity[name]
        self._held -= 1
        return offset
