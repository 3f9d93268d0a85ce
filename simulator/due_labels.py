"""Queue of labels that are not yet known, by the time they are known."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from simulator.records import SimulatedLabel


class DueLabels:
    """Gives labels back by the time they are known; holds those of one label horizon at most."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str, SimulatedLabel]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, labels: Iterable[SimulatedLabel]) -> None:
        for label in labels:
            heappush(self._heap, (label.known_at, label.reference, label))

    def before(self, moment: int) -> Iterator[SimulatedLabel]:
        """Takes out those known before that moment (microseconds, UTC)."""
        while self._heap and self._heap[0][0] < moment:
            yield heappop(self._heap)[2]

    def rest(self) -> Iterator[SimulatedLabel]:
        while self._heap:
            yield heappop(self._heap)[2]
