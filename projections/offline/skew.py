"""Training-serving skew: served vectors compared with the ideal ones, counted by feature and lag.

A served vector is finished from what its reader had seen; the ideal one from all that was known
before it. `lag` says how old the newest event was that the reader had missed.
"""

import struct
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.features import Entity, FeatureSet
from domain.times import SECOND

Key = tuple[Entity, str]

NOTHING_MISSED = "none"
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
    """What a decision recorded: `versions` by entity, {partition: last offset seen}."""

    feature_set: str
    values: Sequence[float | None]
    versions: Mapping[Entity, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of a decision: the lag of each of its entities, and by feature whether its bits differed."""

    lags: Mapping[Entity, str]
    differs: Sequence[bool]


Tallies = dict[tuple[str, str], Tally]
"""By feature and lag."""


class Skew:
    """Call `folded` for each event, and `compare` for each decision before its own event."""

    def __init__(self, features: FeatureSet) -> None:
        self._features = features
        self._last: OrderedDict[Key, dict[int, tuple[int, int]]] = OrderedDict()

    def folded(self, key: Key, partition: int, offset: int, known: int) -> None:
        """An event that belongs to the ideal set of this entity from now on."""
        held = self._last.setdefault(key, {})
        self._last.move_to_end(key)
        if offset > held.get(partition, (-1, 0))[0]:
            held[partition] = (offset, known)
        if len(self._last) > _MOST:
            self._last.popitem(last=False)

    def compare(
        self,
        known: int,
        keys: Mapping[Entity, str],
        served: ServedVector,
        ideal: Sequence[float | None],
    ) -> Comparison | None:
        """None for a decision that was made with other features."""
        if served.feature_set != self._features.hash:
            return None
        lags = {
            entity: self._lag(known, (entity, key), served.versions.get(entity, {}))
            for entity, key in keys.items()
        }
        differs = [not same(*both) for both in zip(served.values, ideal, strict=True)]
        return Comparison(lags, differs)

    def count(self, comparison: Comparison, into: Tallies) -> None:
        """Counts each feature once, under the lag of its entity (the request has none)."""
        for feature, differs in zip(self._features.features, comparison.differs, strict=True):
            lag = NOTHING_MISSED
            if feature.entity:
                lag = comparison.lags.get(feature.entity, NOTHING_MISSED)
            before = into.get((feature.name, lag), Tally())
            into[(feature.name, lag)] = Tally(before.compared + 1, before.different + differs)

    def _lag(self, known: int, key: Key, versions: Mapping[int, int]) -> str:
        missed = [
            seen
            for partition, (offset, seen) in self._last.get(key, {}).items()
            if offset > versions.get(partition, -1)
        ]
        if not missed:
            return NOTHING_MISSED
        age = known - max(missed)
        return next((name for most, name in _BUCKETS if age < most), LONGER)


def same(one: float | None, other: float | None) -> bool:
    """Equal bits, or both unknown."""
    if one is None or other is None:
        return one is None and other is None
    return struct.pack("<d", one) == struct.pack("<d", other)
