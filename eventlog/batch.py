"""Batch of consecutive records of one partition, as agents and projections get them."""

from __future__ import annotations

from dataclasses import dataclass

Record = tuple[int, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, as (offset, key, value), in offset order.

    `end` is the offset after the partition's last record, as of the fetch.
    """

    topic: str
    partition: int
    records: list[Record]
    end: int

    @property
    def place(self) -> tuple[str, int]:
        """Its topic and partition."""
        return self.topic, self.partition

    @property
    def first(self) -> int:
        return self.records[0][0]

    @property
    def next(self) -> int:
        return self.records[-1][0] + 1

    def part(self, start: int, end: int) -> Batch:
        """Its records [start, end), counted from its first; they may be none."""
        return Batch(self.topic, self.partition, self.records[start:end], self.end)

    def since(self, offset: int) -> Batch:
        """The part at or above `offset`; its records may be none."""
        if offset <= self.first:
            return self
        kept = [record for record in self.records if record[0] >= offset]
        return Batch(self.topic, self.partition, kept, self.end)
