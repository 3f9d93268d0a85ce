"""Port of the store of shadow scores.

A decision is read from the read model of decisions, together with how far that model has come: the
first-wins rule has been applied there, once for all readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from domain.events import Outcome
from domain.policy.shadows import Shadow

Vector = Literal["ideal", "served"]
Unscored = Literal["not_served", "other_features"]
"""Why a shadow has no score: the decision was not served features, or not those it needs."""


@dataclass(frozen=True, slots=True)
class ServedDecision:
    """A decision that counts. `served` is False where its features are defaults of a failure."""

    transaction_id: str
    offset: int
    timestamp: int
    known_time: int
    feature_set: str
    features: list[float | None]
    served: bool


@dataclass(frozen=True, slots=True)
class ShadowScore:
    """The score of a shadow for one transaction; times in microseconds UTC."""

    transaction_id: str
    offset: int
    timestamp: int
    known_time: int
    score: float | None
    outcome: Outcome | None
    unscored: Unscored | None
    vector: Vector


class ShadowStore(Protocol):
    """Rows of shadows, each with its position per partition. Blocking; one thread at a time.

    Rows and position become visible together. Raises UnavailableError (nothing or all of it is
    stored: do the same again) and FencedError (somebody else has taken the partition over).
    """

    def begin(self, shadow: Shadow, partition: int) -> int:
        """Takes the shadow's partition over; returns the offset of the next record to score.

        The first time, rows of earlier shadows of the model go.
        """
        ...

    def reached(self) -> dict[int, int]:
        """Per partition the offset up to which decisions are there to be scored."""
        ...

    def decisions(self, partition: int, start: int, most: int) -> tuple[list[ServedDecision], int]:
        """The first decisions at or above `start`, and the offset after all that were read."""
        ...

    def write(
        self, shadow: Shadow, partition: int, scores: Sequence[ShadowScore], following: int
    ) -> None:
        """Adds the rows and moves the position to `following`."""
        ...
