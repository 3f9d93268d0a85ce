"""Training-serving skew: served vectors compared with the ideal ones, counted by feature and lag.

A served vector is finished from what its reader had seen; the ideal one from all that was known
before it. `lag` says how old the newest event was that the reader had missed.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.features import Entity, FeatureSet, Held
from domain.features.kernel.arrays import Floats
from domain.times import SECOND

Key = tuple[Entity, str]
Seen = tuple[Entity, str, dict[int, tuple[int, int]]]
"""Of an entity the last event by partition: (offset, known time)."""
Bools = npt.NDArray[np.bool_]

NOTHING_MISSED = "none"
_NOTHING = Held({})
_BUCKETS = ((SECOND // 10, "100ms"), (SECOND, "1s"), (10 * SECOND, "10s"), (60 * SECOND, "1m"))
LONGER = "longer"
LAGS = (NOTHING_MISSED, *(name for _, name in _BUCKETS), LONGER)
# Entities whose last events are remembered: what is older was not missed by a working reader.
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one feature at one lag: values compared, and those whose bits differed."""

    compared: int = 0
    different: int = 0


@dataclass(frozen=True, slots=True)
class ServedVector:
    """What a decision recorded: what it held of each entity."""

    feature_set: str
    values: Sequence[float | None]
    held: Mapping[Entity, Held]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of a decision: the lag of each of its entities, and [features] whether the bits differed."""

    lags: Mapping[Entity, str]
    differs: Bools


Tallies = dict[tuple[str, str], Tally]
"""By feature and lag."""


class Skew:
    """Call `folded` for each event, and `compare` for each decision before its own event."""

    def __init__(self, features: FeatureSet, seen: Iterable[Seen] = ()) -> None:
        self._features = features
        # A request has no entity, and so no lag.
        self._columns: dict[Entity | None, list[int]] = {}
        for column, feature in enumerate(features.features):
            self._columns.setdefault(feature.entity, []).append(column)
        self._last = OrderedDict[Key, dict[int, tuple[int, int]]](
            ((entity, key), held) for entity, key, held in seen
        )

    def seen(self) -> list[Seen]:
        """To begin another one with, which then tells the same lags."""
        return [(entity, key, held) for (entity, key), held in self._last.items()]

    def folded(self, key: Key, partition: int, offset: int, known: int) -> None:
        """An event that belongs to the ideal set of this entity from now on."""
        held = self._last.setdefault(key, {})
        self._last.move_to_end(key)
        if offset > held.get(partition, (-1, 0))[0]:
            held[partition] = (offset, known)
        if len(self._last) > _MOST:
            self._last.popitem(last=False)

    def compare(
        self, known: int, keys: Mapping[Entity, str], served: ServedVector, ideal: Floats
    ) -> Comparison | None:
        """None for a decision made with other features. `ideal` is [features], NaN unknown."""
        if served.feature_set != self._features.hash:
            return None
        lags = {
            entity: self._lag(known, (entity, key), served.held.get(entity, _NOTHING))
            for entity, key in keys.items()
        }
        return Comparison(lags, ~same(np.array(served.values, dtype=np.float64), ideal))

    def count(self, comparisons: Iterable[Comparison], into: Tallies) -> None:
        """Counts each feature once a decision, under the lag of its entity."""
        lags: dict[tuple[Entity | None, str], list[Bools]] = {}
        for comparison in comparisons:
            for entity in self._columns:
                lag = comparison.lags.get(entity, NOTHING_MISSED) if entity else NOTHING_MISSED
                lags.setdefault((entity, lag), []).append(comparison.differs)
        for (entity, lag), differs in lags.items():
            columns = self._columns[entity]
            different = np.sum(differs, axis=0)[columns].tolist()
            for column, count in zip(columns, different, strict=True):
                key = self._features.names[column], lag
                before = into.get(key, Tally())
                into[key] = Tally(before.compared + len(differs), before.different + count)

    def _lag(self, known: int, key: Key, held: Held) -> str:
        missed = [
            seen
            for partition, (offset, seen) in self._last.get(key, {}).items()
            if not held.holds(partition, offset)
        ]
        if not missed:
            return NOTHING_MISSED
        age = known - max(missed)
        return next((name for most, name in _BUCKETS if age < most), LONGER)


def same(some: Floats, others: Floats) -> Bools:
    """[n] where the bits are equal, or both are NaN: unknown."""
    alike: Bools = some.view(np.int64) == others.view(np.int64)
    return alike | (np.isnan(some) & np.isnan(others))
