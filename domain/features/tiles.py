"""Owns counts, sums, squares, least, greatest and last time per tile; knows no entity.

One list per channel, sorted by tile, so that a window is a slice of each. Only the channels that
the plan asks for are kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from domain.features.columns import Reader, Writer
from domain.features.events import FeatureEvent
from domain.features.filters import KEEPS
from domain.features.plan import TilesPlan

Ints = list[int]


class Totals(NamedTuple):
    """What a window holds: exact integers. Channels that are not kept, or empty, are zero."""

    number: int = 0
    sum: int = 0
    squares: int = 0
    least: int = 0
    greatest: int = 0
    last: int = 0


NOTHING = Totals()


class Tiles:
    __slots__ = (
        "counts",
        "greatest",
        "keeps",
        "last",
        "least",
        "limit",
        "plan",
        "squares",
        "sums",
        "tile",
        "tiles",
    )

    def __init__(self, plan: TilesPlan) -> None:
        self.plan = plan
        self.tile = plan.window.tile
        self.keeps = KEEPS[plan.filter] if plan.filter is not None else None
        # Held twice over before a fold takes the time to trim.
        self.limit = 2 * (plan.window.horizon // plan.window.tile + 2)
        self.tiles: Ints = []
        self.counts: Ints = []
        self.sums: Ints | None = [] if plan.sums else None
        self.squares: Ints | None = [] if plan.squares else None
        self.least: Ints | None = [] if plan.least else None
        self.greatest: Ints | None = [] if plan.greatest else None
        self.last: Ints | None = [] if plan.last else None

    def add(self, event: FeatureEvent, time: int, amount: int) -> None:
        if self.keeps is not None and not self.keeps(event):
            return
        tile = time // self.tile
        tiles = self.tiles
        at = -1
        if not tiles or tile > tiles[-1]:
            self._open(len(tiles), tile, amount, time)
        elif tile != tiles[-1]:
            at = bisect_left(tiles, tile)
            if tiles[at] != tile:
                self._open(at, tile, amount, time)
        self.counts[at] += 1
        if self.sums is not None:
            self.sums[at] += amount
        if self.squares is not None:
            self.squares[at] += amount * amount
        if self.greatest is not None and amount > self.greatest[at]:
            self.greatest[at] = amount
        if self.least is not None and amount < self.least[at]:
            self.least[at] = amount
        if self.last is not None and time > self.last[at]:
            self.last[at] = time

    def _open(self, at: int, tile: int, amount: int, time: int) -> None:
        self.tiles.insert(at, tile)
        self.counts.insert(at, 0)
        if self.sums is not None:
            self.sums.insert(at, 0)
        if self.squares is not None:
            self.squares.insert(at, 0)
        if self.least is not None:
            self.least.insert(at, amount)
        if self.greatest is not None:
            self.greatest.insert(at, amount)
        if self.last is not None:
            self.last.insert(at, time)

    def trim(self, latest: int) -> None:
        """Drops the tiles before the horizon behind `latest`."""
        tiles = self.tiles
        oldest = (latest - self.plan.window.horizon) // self.tile
        if tiles and tiles[0] < oldest:
            cut = bisect_left(tiles, oldest)
            for column in self._columns():
                del column[:cut]

    def read(self, time: int, latest: int) -> Totals:
        """The window at `time` of a state whose greatest time is `latest`."""
        tiles, window = self.tiles, self.plan.window
        width = self.tile
        oldest = max(time - window.span, latest - window.horizon) // width
        start = bisect_left(tiles, oldest)
        end = bisect_right(tiles, time // width)
        if start >= end:
            return NOTHING
        return Totals(
            sum(self.counts[start:end]),
            sum(self.sums[start:end]) if self.sums is not None else 0,
            sum(self.squares[start:end]) if self.squares is not None else 0,
            min(self.least[start:end]) if self.least is not None else 0,
            max(self.greatest[start:end]) if self.greatest is not None else 0,
            self.last[end - 1] if self.last is not None else 0,
        )

    def merge(self, other: Tiles) -> None:
        for place, tile in enumerate(other.tiles):
            at = bisect_left(self.tiles, tile)
            if at == len(self.tiles) or self.tiles[at] != tile:
                for mine, theirs in zip(self._columns(), other._columns(), strict=True):
                    mine.insert(at, theirs[place])
                continue
            self.counts[at] += other.counts[place]
            if self.sums is not None and other.sums is not None:
                self.sums[at] += other.sums[place]
            if self.squares is not None and other.squares is not None:
                self.squares[at] += other.squares[place]
            if self.least is not None and other.least is not None:
                self.least[at] = min(self.least[at], other.least[place])
            if self.greatest is not None and other.greatest is not None:
                self.greatest[at] = max(self.greatest[at], other.greatest[place])
            if self.last is not None and other.last is not None:
                self.last[at] = max(self.last[at], other.last[place])

    def copy(self) -> Tiles:
        twin = Tiles.__new__(Tiles)
        twin.plan, twin.tile, twin.keeps, twin.limit = self.plan, self.tile, self.keeps, self.limit
        twin.tiles, twin.counts = self.tiles[:], self.counts[:]
        twin.sums = self.sums[:] if self.sums is not None else None
        twin.squares = self.squares[:] if self.squares is not None else None
        twin.least = self.least[:] if self.least is not None else None
        twin.greatest = self.greatest[:] if self.greatest is not None else None
        twin.last = self.last[:] if self.last is not None else None
        return twin

    def write(self, writer: Writer) -> None:
        """To be trimmed before. Last times are written from the start of their tile."""
        writer.varint(len(self.tiles))
        writer.rising(self.tiles)
        writer.column(self.counts)
        for column in (self.sums, self.squares, self.least, self.greatest):
            if column is not None:
                writer.column(column)
        if self.last is not None:
            width = self.tile
            starts = zip(self.tiles, self.last, strict=True)
            writer.column([last - tile * width for tile, last in starts])

    @classmethod
    def read_from(cls, plan: TilesPlan, reader: Reader) -> Tiles:
        self = cls(plan)
        count = reader.varint()
        self.tiles = reader.rising(count)
        self.counts = reader.column(count)
        self.sums = reader.column(count) if plan.sums else None
        self.squares = reader.column(count) if plan.squares else None
        self.least = reader.column(count) if plan.least else None
        self.greatest = reader.column(count) if plan.greatest else None
        if plan.last:
            width = self.tile
            offsets = zip(self.tiles, reader.column(count), strict=True)
            self.last = [tile * width + offset for tile, offset in offsets]
        return self

    def _columns(self) -> list[Ints]:
        optional = (self.sums, self.squares, self.least, self.greatest, self.last)
        return [self.tiles, self.counts, *(column for column in optional if column is not None)]
