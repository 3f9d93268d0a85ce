"""Owns the pairs of tile and value: who or what was seen when, bounded; knows no entity.

A pair is kept once, however often it is seen. Past the cap the greatest pairs stay, by tile and,
within one tile, by the digest of the value: a state needs no times of its own for that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter

from domain.features.columns import Reader, Writer
from domain.features.events import FeatureEvent, code
from domain.features.filters import ATTRIBUTE, KEEPS
from domain.features.plan import PairsPlan


class Pairs:
    """`tiles` and `codes` are parallel, in the order of the pairs."""

    __slots__ = ("codes", "keeps", "plan", "tile", "tiles", "value_of")

    def __init__(self, plan: PairsPlan) -> None:
        self.plan = plan
        self.tile = plan.window.tile
        self.keeps = KEEPS[plan.filter] if plan.filter is not None else None
        self.value_of = attrgetter(ATTRIBUTE[plan.field])
        self.tiles: list[int] = []
        self.codes: list[int] = []

    def add(self, event: FeatureEvent, time: int) -> None:
        value = self.value_of(event)
        if value is not None and (self.keeps is None or self.keeps(event)):
            self._put(time // self.tile, code(value))

    def _put(self, tile: int, value: int) -> None:
        tiles, codes = self.tiles, self.codes
        end = bisect_right(tiles, tile)
        at = bisect_left(codes, value, bisect_left(tiles, tile, 0, end), end)
        if at < end and codes[at] == value:
            return
        tiles.insert(at, tile)
        codes.insert(at, value)
        if len(tiles) > self.plan.cap:
            del tiles[0], codes[0]

    def trim(self, latest: int) -> None:
        oldest = (latest - self.plan.window.horizon) // self.tile
        if self.tiles and self.tiles[0] < oldest:
            cut = bisect_left(self.tiles, oldest)
            del self.tiles[:cut], self.codes[:cut]

    def read(self, time: int, latest: int) -> set[int]:
        """The digests of the values in the window at `time`."""
        window, width = self.plan.window, self.tile
        oldest = max(time - window.span, latest - window.horizon) // width
        start = bisect_left(self.tiles, oldest)
        return set(self.codes[start : bisect_right(self.tiles, time // width)])

    def merge(self, other: Pairs) -> None:
        for tile, value in zip(other.tiles, other.codes, strict=True):
            self._put(tile, value)

    def copy(self) -> Pairs:
        twin = Pairs.__new__(Pairs)
        twin.plan, twin.tile, twin.keeps = self.plan, self.tile, self.keeps
        twin.value_of = self.value_of
        twin.tiles, twin.codes = self.tiles[:], self.codes[:]
        return twin

    def write(self, writer: Writer) -> None:
        writer.varint(len(self.tiles))
        writer.rising(self.tiles)
        writer.column(self.codes)

    @classmethod
    def read_from(cls, plan: PairsPlan, reader: Reader) -> Pairs:
        self = cls(plan)
        count = reader.varint()
        self.tiles, self.codes = reader.rising(count), reader.column(count)
        return self
