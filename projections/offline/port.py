"""Port of the store of offline vectors: one row per transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats
from projections.offline.skew import Tally


def projection_of(features: FeatureSet) -> str:
    """The name under which positions are kept: a new set of features begins at 0."""
    return f"offline.{features.hash}"


@dataclass(frozen=True, slots=True)
class VectorRows:
    """Ideal vectors: `times` and `known` are microseconds UTC, `values` [ids, features], NaN for
    unknown."""

    ids: Sequence[str]
    times: Sequence[int]
    known: Sequence[int]
    values: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition has come with these rows. Each of its records adds to one count."""

    next: int
    projected: int = 0
    void: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What is written together: rows, positions, and (feature, lag) of the served vectors."""

    rows: Sequence[VectorRows]
    progress: Mapping[int, Progress]
    tallies: Mapping[tuple[str, str], Tally] = field(default_factory=dict)


class VectorStore(Protocol):
    """Rows of one set of features, and per source partition the next offset. Blocking."""

    @property
    def features(self) -> FeatureSet: ...

    def take_over(self) -> dict[int, int]:
        """Fences every former owner; returns the next offset per partition.

        Rows of another set of features do not count: all begin at 0. Raises UnavailableError.
        """
        ...

    def write(self, written: Written) -> None:
        """All in one transaction; a row of the same id is replaced, the last of an id counts.

        Raises FencedError, or UnavailableError: all or nothing is written. The same given again
        then changes nothing that is stored.
        """
        ...
