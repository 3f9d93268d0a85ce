"""Port through which a decision reads its features."""

from dataclasses import dataclass, field
from typing import Protocol

from domain.events import Envelope
from domain.features import FeatureSet
from domain.transactions import Transaction


@dataclass(frozen=True, slots=True)
class ServedFeatures:
    """The vector as served. `values` follow `features`.

    `versions` maps entity name to the compact text of what the state held that was finished.
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


class FeatureReader(Protocol):
    """Reads states, folds recent events onto them and finishes at the transaction's time.

    The transaction itself is never in its own vector. A missing entity, field or store gives
    defaults and a flag, not an error.
    """

    async def read(self, transaction: Transaction) -> ServedFeatures:
        """Of all that any process has answered before, or flagged where some may be missing."""
        ...

    async def answered(self, partition: int, offset: int, decision: Envelope) -> None:
        """Call before a decision is answered: from then on readers in all processes see it.

        Where they cannot be told, it returns once they know that something may be missing.
        """
        ...

    async def keep_vouching(self) -> None:
        """Run it beside all that is answered, until nothing more is."""
        ...
