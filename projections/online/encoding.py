"""Folds and bytes of many states at once: in one call of the kernel for each kind of entity."""

from collections.abc import Sequence

import numpy as np

from domain.errors import IntegrityError
from domain.features import Entity, EntityState, FeatureEvent
from domain.features.engine import fold_states
from domain.features.kernel.row_layout import WIDTH
from domain.features.rows import row_of
from domain.features.state import Row


class RowsOnce:
    """Folds the events of a batch: the row of one is made once for all entities that it names."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], Row] = {}

    def fold(self, state: EntityState, source: int, offset: int, event: FeatureEvent) -> None:
        """As EntityState.fold, and raises as that."""
        if state.version.get(source, -1) < offset:
            row = self._rows.get((source, offset))
            if row is None:
                row = self._rows[source, offset] = row_of(source, offset, event)
            state.fold_row(row)


def encoded_states(states: Sequence[EntityState]) -> list[tuple[EntityState, bytes]]:
    """Each with its bytes as of now; a state may be folded on afterwards."""
    _settle(states)
    return [(state, state.to_bytes()) for state in states]


def _settle(states: Sequence[EntityState]) -> None:
    """Folds what is pending in all of them, in one go for each kind of entity."""
    by_entity: dict[Entity, list[EntityState]] = {}
    for state in states:
        by_entity.setdefault(state.entity, []).append(state)
    for entity, group in by_entity.items():
        pending = [state.pending for state in group]
        owners = [at for at, (_, rows) in enumerate(pending) for _ in rows]
        rows = np.array([row for _, rows in pending for row in rows], dtype=np.int64)
        try:
            made = fold_states(
                group[0].features,
                entity,
                [data for data, _ in pending],
                np.array(owners, dtype=np.int64),
                rows.reshape(len(owners), WIDTH),
            )
        except IntegrityError:
            # One of them is damaged: each is encoded by itself, so that the error names it.
            continue
        for state, data in zip(group, made, strict=True):
            state.settle(data)
