"""Folds and bytes of many states at once: in one call of the kernel for each kind of entity."""

from collections.abc import Mapping, Sequence

import numpy as np

from domain.errors import IntegrityError
from domain.features import Entity, EntityState
from domain.features.engine import fold_states
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import Rows

Key = tuple[Entity, str]


class PendingRows:
    """Rows that are still to be folded, each with the entity that it is folded into.

    Adding rows takes no more than their bytes: the kernel leaves out what a state holds already.
    """

    def __init__(self) -> None:
        self._of: dict[Entity, tuple[list[str], list[Rows]]] = {}
        self.count = 0

    def add(self, entity: Entity, keys: Sequence[str], rows: Rows) -> None:
        """`rows` [keys, WIDTH] in the order of folding."""
        mine, parts = self._of.setdefault(entity, ([], []))
        mine += keys
        parts.append(rows)
        self.count += len(keys)

    def take(self, other: "PendingRows") -> None:
        """Adds those of the other, behind its own."""
        for entity, (keys, parts) in other._of.items():
            self.add(entity, keys, np.concatenate(parts))

    def keys(self) -> list[Key]:
        """The entities, each once."""
        return [
            (entity, key) for entity, (keys, _) in self._of.items() for key in dict.fromkeys(keys)
        ]

    def clear(self) -> None:
        self._of.clear()
        self.count = 0

    def fold(self, held: Mapping[Key, EntityState]) -> None:
        """Folds all of them. Raises IntegrityError where a state is damaged; they stay then."""
        for entity, (keys, parts) in list(self._of.items()):
            numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
            states = [held[entity, key] for key in numbers]
            owners = np.fromiter(map(numbers.__getitem__, keys), np.int64, len(keys))
            made = _folded(states, owners, np.concatenate(parts))
            for state, data in zip(states, made, strict=True):
                state.settle(data)
            del self._of[entity]
            self.count -= len(keys)


def _folded(states: Sequence[EntityState], owners: Ints, rows: Rows) -> list[bytes]:
    features, entity = states[0].features, states[0].entity
    try:
        return fold_states(features, entity, [state.pending[0] for state in states], owners, rows)
    except IntegrityError:
        for state in states:
            try:
                state.inspect()
            except IntegrityError as error:
                raise IntegrityError(f"{entity} {state.key!r}: {error}") from error
        raise
