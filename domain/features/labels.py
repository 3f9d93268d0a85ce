"""Owns the labels of an entity, one by one and bounded, so that a reversal replaces; no tiles.

A label is (known time, digest of its event id, digest of the transaction id, value). The latest
`cap` within the horizon are kept, by (known time, event id). Of one transaction the last label
that lies in a whole past tile counts, at its own known time; those it replaced do not. Both bounds
cut off the oldest, so a label never outlives the one that replaced it: what is kept, and what is
read from it, are functions of the set of labels folded.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from domain.features.columns import Reader, Writer
from domain.features.declarations import Window
from domain.features.events import FeatureEvent, code
from domain.features.plan import LabelsPlan

# (known time, digest of the event id, digest of the transaction id, value)
Label = tuple[int, int, int, int]


class Labels:
    __slots__ = ("_replaced", "labels", "plan")

    def __init__(self, plan: LabelsPlan) -> None:
        self.plan = plan
        self.labels: list[Label] = []
        self._replaced: list[tuple[Label, Label]] | None = []

    def add(self, event: FeatureEvent) -> None:
        assert event.label is not None
        insort(self.labels, (event.time, event.order, code(event.transaction_id), event.label))
        if len(self.labels) > self.plan.cap:
            del self.labels[0]
        self._replaced = None

    def trim(self, latest: int) -> None:
        window = self.plan.window
        oldest = (latest - window.horizon) // window.tile * window.tile
        if self.labels and self.labels[0][0] < oldest:
            del self.labels[: self._from(oldest)]
            self._replaced = None

    def read(self, window: Window, time: int, latest: int) -> tuple[int, int]:
        """Labels and fraud labels in the whole past tiles of `window` at `time`."""
        longest, width = self.plan.window, window.tile
        oldest = (latest - longest.horizon) // longest.tile * longest.tile
        start = max((time - window.span) // width * width, oldest)
        end = time // width * width
        counted = self.labels[self._from(start) : self._from(end)]
        count, fraud = len(counted), sum([label[3] for label in counted])
        for old, new in self._replacements():
            if old[0] >= start and new[0] < end:
                count -= 1
                fraud -= old[3]
        return count, fraud

    def _from(self, known: int) -> int:
        """Place of the first label known at `known` or later."""
        return bisect_left(self.labels, (known, -1, -1, -1))

    def _replacements(self) -> list[tuple[Label, Label]]:
        if self._replaced is None:
            self._replaced = []
            if len({label[2] for label in self.labels}) == len(self.labels):
                return self._replaced
            last: dict[int, Label] = {}
            for label in self.labels:
                before = last.get(label[2])
                if before is not None:
                    self._replaced.append((before, label))
                last[label[2]] = label
        return self._replaced

    def merge(self, other: Labels) -> None:
        self.labels = sorted([*self.labels, *other.labels])[-self.plan.cap :]
        self._replaced = None

    def copy(self) -> Labels:
        twin = Labels.__new__(Labels)
        twin.plan, twin.labels, twin._replaced = self.plan, self.labels[:], self._replaced
        return twin

    def write(self, writer: Writer) -> None:
        writer.varint(len(self.labels))
        if self.labels:
            known, *columns = zip(*self.labels, strict=True)
            writer.rising(known)
            for column in columns:
                writer.column(column)

    @classmethod
    def read_from(cls, plan: LabelsPlan, reader: Reader) -> Labels:
        self = cls(plan)
        count = reader.varint()
        known, orders = reader.rising(count), reader.column(count)
        transactions, values = reader.column(count), reader.column(count)
        self.labels = list(zip(known, orders, transactions, values, strict=True))
        self._replaced = None
        return self
