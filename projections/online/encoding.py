"""Bytes of many states at once: what is pending in them is folded in one call for each entity."""

from collections.abc import Sequence

import numpy as np

from domain.errors import IntegrityError
from domain.features import Entity, EntityState
from domain.features.engine import fold_states
from domain.features.kernel.row_layout import WIDTH


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
