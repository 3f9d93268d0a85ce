"""Owns the pairs of tile and value: who or what was seen when, bounded; knows no entity.

A pair is kept once, however often it is seen. Past the cap the greatest pairs stay, by tile and,
within one tile, by the digest of the value: a state needs no times of its own for that.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter

from domain.features.columns import Reader, Writer
from domain.features.events import FeatureEvent, code
from domain.features.filters import ATTRIBUTE, KEEPS
from domain.features.plan import PairsPlan

_BITS = 64
_MASK = (1 << _BITS) - 1


class Pairs:
    __slots__ = ("keeps", "pairs", "plan", "tile", "value_of")

    def __init__(self, plan: PairsPlan) -> None:
        self.plan = plan
        self.tile = plan.window.tile
        self.keeps = KEEPS[plan.filter] if plan.filter is not None else None
        self.value_of = attrgetter(ATTRIBUTE[plan.field])
        self.pairs: list[int] = []

    def add(self, event: FeatureEvent, time: int) -> None:
        value = self.value_of(event)
        if value is None or (self.keeps is not None and not self.keeps(event)):
            return
        pair = time // self.tile << _BITS | code(value)
        pairs = self.pairs
        at = bisect_left(pairs, pair)
        if at < len(pairs) and pairs[at] == pair:
            return
        pairs.insert(at, pair)
        if len(pairs) > self.plan.cap:
            del pairs[0]

    def trim(self, latest: int) -> None:
        oldest = (latest - self.plan.window.horizon) // self.tile
        pairs = self.pairs
        if pairs and pairs[0] < oldest << _BITS:
            del pairs[: bisect_left(pairs, oldest << _BITS)]

    def read(self, time: int, latest: int) -> list[int]:
        """The pairs of the window at `time`."""
        window, width = self.plan.window, self.tile
        oldest = max(time - window.span, latest - window.horizon) // width
        start = bisect_left(self.pairs, oldest << _BITS)
        return self.pairs[start : bisect_left(self.pairs, (time // width + 1) << _BITS)]

    def merge(self, other: Pairs) -> None:
        self.pairs = sorted({*self.pairs, *other.pairs})[-self.plan.cap :]

    def copy(self) -> Pairs:
        twin = Pairs.__new__(Pairs)
        twin.plan, twin.tile, twin.keeps = self.plan, self.tile, self.keeps
        twin.value_of, twin.pairs = self.value_of, self.pairs[:]
        return twin

    def write(self, writer: Writer) -> None:
        writer.varint(len(self.pairs))
        writer.rising([pair >> _BITS for pair in self.pairs])
        writer.column([pair & _MASK for pair in self.pairs])

    @classmethod
    def read_from(cls, plan: PairsPlan, reader: Reader) -> Pairs:
        self = cls(plan)
        count = reader.varint()
        tiles = reader.rising(count)
        codes = reader.column(count)
        self.pairs = [tile << _BITS | value for tile, value in zip(tiles, codes, strict=True)]
        return self


def distinct(pairs: list[int]) -> int:
    return len({pair & _MASK for pair in pairs})


def holds(pairs: list[int], value: str) -> bool:
    wanted = code(value)
    return any(pair & _MASK == wanted for pair in pairs)
