"""State of one entity: its bytes, and the events that are still to be folded into it.

Folding is deferred until the result is needed; then all pending events are folded in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, islice
from typing import NamedTuple

import numpy as np

from domain.errors import IntegrityError
from domain.features.declarations.catalogue import CATALOGUE
from domain.features.declarations.feature_set import FeatureSet
from domain.features.engine import Inspected, fold_states, inspected, merged
from domain.features.entities import Entity
from domain.features.events import FeatureEvent
from domain.features.kernel.arrays import Bytes, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.encoding import get_signed, get_varint
from domain.features.kernel.layout import LABELS, S_FILTER, S_HORIZON, S_KIND, TILES
from domain.features.kernel.row_layout import PARTITIONS, WIDTH
from domain.features.rows import row_of

Row = tuple[int, ...]

# Bounds the memory of a state that is folded for long and never read.
_MOST_PENDING = 256


class EntityState:
    """A pure function of the set of events folded, whatever their order across partitions.

    `version` is {source partition: last offset folded}; events of one partition are to be folded
    in the order of their offsets. A transaction is decided before its own event is folded, so a
    vector made in the order of the log never holds itself; a vector made again is to be made from a
    state below the transaction's own event.
    """

    __slots__ = ("_data", "_rows", "_version", "entity", "features", "key")

    def __init__(self, entity: Entity, key: str, features: FeatureSet = CATALOGUE) -> None:
        self.entity, self.key, self.features = entity, key, features
        self._version: dict[int, int] | None = None
        self._data = b""
        self._rows: list[Row] = []

    @property
    def version(self) -> dict[int, int]:
        """Raises IntegrityError where the bytes are cut short."""
        if self._version is None:
            # Read when it is asked for: what is finished and not folded needs none.
            self._version = version_of(self._data) if self._data else {}
        return self._version

    def fold(self, partition: int, offset: int, event: FeatureEvent) -> bool:
        """False, and nothing changed, where the version covers the offset already.

        Raises ValueError or TypeError for an event that no state can hold.
        """
        return self.version.get(partition, -1) < offset and self.fold_row(
            row_of(partition, offset, event)
        )

    def fold_row(self, row: Row) -> bool:
        """As `fold`, of the event's row."""
        partition, offset = row[0], row[1]
        if offset <= self.version.get(partition, -1):
            return False
        self.version[partition] = offset
        self._rows.append(row)
        if len(self._rows) >= _MOST_PENDING:
            self.to_bytes()
        return True

    @property
    def pending(self) -> tuple[bytes, list[Row]]:
        """The bytes of the state before, and the rows that are to be folded onto it."""
        return self._data, self._rows

    def settle(self, data: bytes) -> None:
        """Takes the bytes that another driver made of `pending`, and of rows of its own."""
        self._data, self._rows, self._version = data, [], None

    @property
    def folded_transactions(self) -> int:
        return self.inspect().transactions

    @property
    def latest(self) -> int:
        """The greatest event time folded, NEVER where there is none."""
        return self.inspect().latest

    @property
    def dropped(self) -> int:
        """Events of the set that lie before the longest horizon or, of labels, beyond the cap."""
        seen = self.inspect()
        stores = self.features.plans[self.entity].stores
        whole = (stores[:, S_KIND] == TILES) & (stores[:, S_FILTER] == 0)
        horizons = np.where(whole, stores[:, S_HORIZON], -1)
        transactions = seen.transactions
        if whole.any():
            transactions -= seen.counted[int(horizons.argmax())]
        else:
            transactions = 0
        of_labels = stores[:, S_KIND] == LABELS
        labels = seen.labels - seen.counted[int(of_labels.argmax())] if of_labels.any() else 0
        return transactions + labels

    def inspect(self) -> Inspected:
        return inspected(self.features.plans[self.entity], self.to_bytes())

    def merge(self, other: EntityState) -> None:
        """Takes in the events of `other`; the two sets are to have none in common."""
        if (other.entity, other.key, other.features) != (self.entity, self.key, self.features):
            raise ValueError(f"{other.entity}:{other.key} is no part of {self.entity}:{self.key}")
        plan = self.features.plans[self.entity]
        self.settle(merged(plan, self.to_bytes(), other.to_bytes()))
        for partition, offset in other.version.items():
            self.version[partition] = max(offset, self.version.get(partition, -1))

    def copy(self) -> EntityState:
        twin = EntityState(self.entity, self.key, self.features)
        twin._version = None if self._version is None else dict(self._version)
        twin._data, twin._rows = self._data, self._rows[:]
        return twin

    def to_bytes(self) -> bytes:
        """Equal for equal sets of events."""
        if self._rows or not self._data:
            owners = np.zeros(len(self._rows), dtype=np.int64)
            rows = np.array(self._rows, dtype=np.int64).reshape(len(self._rows), WIDTH)
            made = fold_states(self.features, self.entity, [self._data], owners, rows)
            self._data, self._rows = made[0], []
        return self._data

    @classmethod
    def stored(
        cls, entity: Entity, key: str, data: bytes | None, features: FeatureSet = CATALOGUE
    ) -> EntityState:
        """As `from_bytes`; an empty state where nothing is stored."""
        if data is None:
            return cls(entity, key, features)
        return cls.from_bytes(entity, key, data, features)

    @classmethod
    def from_bytes(
        cls, entity: Entity, key: str, data: bytes, features: FeatureSet = CATALOGUE
    ) -> EntityState:
        """Raises IntegrityError where `data` was written for other features.

        Damage further on is found when it is first folded onto or finished.
        """
        self = cls(entity, key, features)
        if int.from_bytes(data[:4], "little") != features.plans[entity].digest:
            raise IntegrityError(
                f"the state of {entity} {key!r} was written for other features than set "
                f"{features.hash}: rebuild the online state with `retrace features rebuild`"
            )
        self._data = data
        return self


class Head(NamedTuple):
    """`latest` is the greatest time of an event, 0 where there is none: event time of a
    transaction, known time of a label, in microseconds UTC."""

    version: dict[int, int]
    latest: int


def version_of(data: bytes) -> dict[int, int]:
    """The version map at the head of a state's bytes. Raises IntegrityError."""
    # Written out: it is asked for every state that is read.
    numbers: list[int] = []
    wanted, value, shift = 1, 0, 0
    for byte in islice(data, 4, None):
        value |= (byte & 127) << shift
        if byte > 127:
            shift += 7
            continue
        if not numbers:
            wanted += 2 * value
        numbers.append(value)
        if len(numbers) == wanted:
            partitions = accumulate(numbers[1::2])
            return dict(zip(partitions, numbers[2::2], strict=True))
        value = shift = 0
    raise _cut_short(data)


def heads_of(states: Sequence[bytes]) -> list[Head]:
    """As the kernel writes them (domain.features.kernel.stored). Raises IntegrityError."""
    versions = np.full((len(states), PARTITIONS), -1, dtype=np.int64)
    latest = np.zeros(len(states), dtype=np.int64)
    bounds = np.array([0, *accumulate(map(len, states))], dtype=np.int64)
    data = np.frombuffer(b"".join(states), dtype=np.uint8)
    wrong = _heads(data, bounds, versions, latest)
    if wrong >= 0:
        raise _cut_short(states[wrong])
    rows, partitions = np.nonzero(versions >= 0)
    found = zip(partitions.tolist(), versions[rows, partitions].tolist(), strict=True)
    counts = np.bincount(rows, minlength=len(states)).tolist()
    return [
        Head(dict(islice(found, count)), last)
        for count, last in zip(counts, latest.tolist(), strict=True)
    ]


@compiled
def _heads(data: Bytes, bounds: Ints, versions: Ints, latest: Ints) -> int:
    """Fills `versions` [states, PARTITIONS] and `latest` [states]; returns which is cut short, or
    -1."""
    for i in range(len(latest)):
        end, partition = bounds[i + 1], 0
        held, at = get_varint(data, bounds[i] + 4, end)
        for _ in range(min(held, PARTITIONS)):
            step, at = get_varint(data, at, end)
            offset, at = get_varint(data, at, end)
            partition += step
            if at < 0 or not 0 <= partition < PARTITIONS:
                return i
            versions[i, partition] = offset
        transactions, at = get_varint(data, at, end)
        labels, at = get_varint(data, at, end)
        for kind in (transactions, labels):
            if at >= 0 and kind > 0:
                time, at = get_signed(data, at, end)
                latest[i] = max(latest[i], time)
        if at < 0:
            return i
    return -1


def _cut_short(data: bytes) -> IntegrityError:
    return IntegrityError(f"a state of {len(data)} bytes: cut short?")
