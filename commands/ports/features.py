"""Port through which a decision reads its features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.features import FeatureEvent, FeatureSet
from domain.transactions import Transaction


@dataclass(frozen=True, slots=True)
class ServedFeatures:
    """The vector as served. `values` follow `features`.

    `versions` maps entity name to the compact version map of the state that was finished.
    `flags` names what was missing: `no_<entity>`, `stale_features`, `features_unavailable`.
    """

    features: FeatureSet
    values: list[float | None]
    versions: dict[str, str]
    flags: list[str] = field(default_factory=list)

    @property
    def feature_set(self) -> str:
        """The hash of `features`."""
        return self.features.hash


class RecentTail(Protocol):
    """The part of the log that this process has read itself. Thread-safe."""

    def starts(self) -> Sequence[int]:
        """Per source partition the first offset that the tail holds."""
        ...

    def ends(self) -> Sequence[int]:
        """Per source partition the offset after the last one read."""
        ...

    def entries(self, entity: str, key: str) -> list[tuple[int, int, FeatureEvent]]:
        """(partition, offset, event) of what counts for this entity, in the order read."""
        ...

    def forget(self, partition: int, before: int) -> None:
        """Drops entries below `before`: the stored states cover them."""
        ...


class Recent(Protocol):
    """What this process knows of the log."""

    @property
    def tail(self) -> RecentTail: ...

    async def reached(self, positions: Mapping[int, int]) -> None:
        """Returns once each partition is known up to and with the given offset.

        Raises LogUnavailableError.
        """
        ...


class FeatureReader(Protocol):
    """Reads states, folds the tail onto them and finishes at the transaction's time.

    The transaction itself is never in its own vector. A missing entity, field or store gives
    defaults and a flag, not an error.
    """

    async def read(self, transaction: Transaction, recent: Recent) -> ServedFeatures:
        """Of all that any process has answered before: it waits until our tail knows of it.

        Raises LogUnavailableError where the tail does not get there.
        """
        ...

    async def answered(self, partition: int, offset: int) -> None:
        """Call before a decision is answered: readers in other processes wait for its place."""
        ...
