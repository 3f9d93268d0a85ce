"""Port of the generations of the online states: begin, swap, drop.

A generation is a keyspace of states of one set of features, whose declarations are stored with it.
One of them is live: readers look it up, writers are pinned to the one that they found. A changed
projection is built in a new generation beside the live one, then the pointer moves; going back is
moving it back.
"""

from dataclasses import dataclass
from typing import Protocol

from domain.features import FeatureSet


@dataclass(frozen=True, slots=True)
class Generation:
    """`number` is never used again. `features` is None where this version cannot compute them."""

    number: int
    hash: str
    reason: str
    live: bool
    features: FeatureSet | None


class Generations(Protocol):
    """Blocking; each operation is one step in the store. Raises UnavailableError."""

    def number(self) -> int:
        """Of the live generation, 0 where there is none."""
        ...

    def before(self) -> int:
        """Of the generation that was live before, 0 where there is none."""
        ...

    def live(self) -> Generation:
        """Raises NotFoundError where nothing was ever live, IntegrityError for a set that this
        version cannot compute."""
        ...

    def adopt(self, declared: FeatureSet) -> Generation:
        """The live generation; where there is none, or one that this version cannot compute, a
        new one of `declared` is begun and made live: it is then built from the log in place."""
        ...

    def begin(self, features: FeatureSet, reason: str) -> Generation:
        """A new, empty generation, not live."""
        ...

    def swap(self, before: int, after: int) -> None:
        """Makes `after` live. Raises ConflictError where `before` is not the live one.

        Raises NotFoundError where `after` was removed.
        """
        ...

    def drop(self, number: int, *, force: bool = False) -> int:
        """Removes a generation; returns how many states it had. It can be repeated after a failure.

        From the first step on it takes no writes, and its readers look the live one up again.
        Raises ConflictError for the live one and, without `force`, for the one to go back to.
        """
        ...

    def all(self) -> list[Generation]: ...
