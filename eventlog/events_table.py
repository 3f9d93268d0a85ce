"""EventTable: the events of a log as arrays, rows for the kernel and numbered entities."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import overload

import numpy as np
from numpy.typing import NDArray

from domain.features import Entity, FeatureEvent, entity_keys
from domain.features.entities import pair_key
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import WIDTH, Rows
from domain.features.rows import row_of

_BLOCK = 20_000


class PairKeys(Sequence[str]):
    """Keys of pairs, made on access: key i is that of places[i] in the table firsts x seconds."""

    def __init__(self, firsts: Sequence[str], seconds: Sequence[str], places: Ints) -> None:
        self._firsts, self._seconds, self._places = firsts, seconds, places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        return map(self._key, self._places.tolist())

    @overload
    def __getitem__(self, number: int, /) -> str: ...
    @overload
    def __getitem__(self, number: slice, /) -> list[str]: ...
    def __getitem__(self, number: int | slice, /) -> str | list[str]:
        if isinstance(number, slice):
            return list(map(self._key, self._places[number].tolist()))
        return self._key(int(self._places[number]))

    def _key(self, place: int) -> str:
        first, second = divmod(place, len(self._seconds))
        return pair_key(self._firsts[first], self._seconds[second])


@dataclass(frozen=True, slots=True)
class EventTable:
    """What counts in a stretch of the log; all arrays have one item per event.

    `known` are known times in microseconds; `codes` the number of the entity concerned, -1 for
    none; `keys` the key of each number.
    """

    rows: Rows
    known: Ints
    codes: Mapping[Entity, Ints]
    keys: Mapping[Entity, Sequence[str]]
    transaction_ids: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(slots=True)
class TableBuilder:
    """Gathers events one by one, in any order."""

    _rows: list[tuple[int, ...]] = field(default_factory=list)
    _blocks: list[Rows] = field(default_factory=list)
    _known: list[int] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _codes: dict[Entity, list[int]] = field(default_factory=lambda: {e: [] for e in Entity})
    _keys: dict[Entity, dict[str, int]] = field(default_factory=lambda: {e: {} for e in Entity})

    def add(self, partition: int, offset: int, event: FeatureEvent) -> None:
        self._rows.append(row_of(partition, offset, event))
        self._known.append(event.known_time)
        self._ids.append(event.transaction_id)
        named = entity_keys(event)
        for entity, codes in self._codes.items():
            key = named.get(entity)
            if key is None:
                codes.append(-1)
            else:
                numbers = self._keys[entity]
                codes.append(numbers.setdefault(key, len(numbers)))
        if len(self._rows) >= _BLOCK:
            self._settle()

    def _settle(self) -> None:
        self._blocks.append(np.array(self._rows, dtype=np.int64).reshape(-1, WIDTH))
        self._rows = []

    def table(self) -> EventTable:
        self._settle()
        return EventTable(
            np.concatenate(self._blocks),
            np.array(self._known, dtype=np.int64),
            {entity: np.array(codes, dtype=np.int64) for entity, codes in self._codes.items()},
            {entity: list(numbers) for entity, numbers in self._keys.items()},
            np.array(self._ids, dtype=object),
        )


def joined(tables: Sequence[EventTable]) -> EventTable:
    """One table of all, with entities renumbered; if only one is not empty, that one."""
    filled = [table for table in tables if len(table)]
    if len(filled) < 2:
        return (filled or tables)[0]
    codes: dict[Entity, Ints] = {}
    keys: dict[Entity, Sequence[str]] = {}
    for entity in Entity:
        numbers: dict[str, int] = {}
        parts = []
        for table in tables:
            again = [numbers.setdefault(key, len(numbers)) for key in table.keys[entity]]
            # The last item maps -1 (no entity) to itself.
            parts.append(np.array([*again, -1], dtype=np.int64)[table.codes[entity]])
        codes[entity] = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        keys[entity] = list(numbers)
    return EventTable(
        np.concatenate([table.rows for table in tables]),
        np.concatenate([table.known for table in tables]),
        codes,
        keys,
        np.fromiter(
            chain.from_iterable(table.transaction_ids for table in tables),
            dtype=object,
            count=sum(len(table) for table in tables),
        ),
    )
