"""Owns the last place per tile, by (time, digest of the event id); knows no entity."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from domain.features.columns import Reader, Writer
from domain.features.coordinates import SCALE, Place
from domain.features.events import FeatureEvent
from domain.features.filters import KEEPS
from domain.features.plan import PlacesPlan

Seen = tuple[int, int, int, int, int]  # time, order, x, y, z


class Places:
    __slots__ = ("keeps", "last", "limit", "plan", "tile", "tiles")

    def __init__(self, plan: PlacesPlan) -> None:
        self.plan = plan
        self.tile = plan.window.tile
        self.keeps = KEEPS[plan.filter] if plan.filter is not None else None
        # Held twice over before a fold takes the time to trim.
        self.limit = 2 * (plan.window.horizon // plan.window.tile + 2)
        self.tiles: list[int] = []
        self.last: list[Seen] = []

    def add(self, event: FeatureEvent, time: int) -> None:
        if event.x is None or event.y is None or event.z is None:
            return
        if self.keeps is None or self.keeps(event):
            self._put(time // self.tile, (time, event.order, event.x, event.y, event.z))

    def _put(self, tile: int, seen: Seen) -> None:
        at = bisect_left(self.tiles, tile)
        if at == len(self.tiles) or self.tiles[at] != tile:
            self.tiles.insert(at, tile)
            self.last.insert(at, seen)
        elif seen > self.last[at]:
            self.last[at] = seen

    def trim(self, latest: int) -> None:
        oldest = (latest - self.plan.window.horizon) // self.tile
        if self.tiles and self.tiles[0] < oldest:
            cut = bisect_left(self.tiles, oldest)
            del self.tiles[:cut]
            del self.last[:cut]

    def read(self, time: int, latest: int) -> tuple[int, Place] | None:
        """Time and place of the last event of the window at `time`."""
        window, width = self.plan.window, self.tile
        oldest = max(time - window.span, latest - window.horizon) // width
        at = bisect_right(self.tiles, time // width) - 1
        if at < 0 or self.tiles[at] < oldest:
            return None
        seen = self.last[at]
        return seen[0], seen[2:]

    def merge(self, other: Places) -> None:
        for tile, seen in zip(other.tiles, other.last, strict=True):
            self._put(tile, seen)

    def copy(self) -> Places:
        twin = Places.__new__(Places)
        twin.plan, twin.tile, twin.keeps = self.plan, self.tile, self.keeps
        twin.limit = self.limit
        twin.tiles, twin.last = self.tiles[:], self.last[:]
        return twin

    def write(self, writer: Writer) -> None:
        writer.varint(len(self.tiles))
        writer.rising(self.tiles)
        starts = zip(self.tiles, self.last, strict=True)
        writer.column([seen[0] - tile * self.tile for tile, seen in starts])
        writer.column([seen[1] for seen in self.last])
        for axis in (2, 3, 4):
            writer.column([seen[axis] + SCALE for seen in self.last])

    @classmethod
    def read_from(cls, plan: PlacesPlan, reader: Reader) -> Places:
        self = cls(plan)
        count = reader.varint()
        self.tiles = reader.rising(count)
        offsets, orders = reader.column(count), reader.column(count)
        axes = [[value - SCALE for value in reader.column(count)] for _ in range(3)]
        times = [t * self.tile + o for t, o in zip(self.tiles, offsets, strict=True)]
        self.last = list(zip(times, orders, *axes, strict=True))
        return self
