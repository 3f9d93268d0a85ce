"""Planted differences: one bit of one value, flipped between a store and its comparison.

Nothing that is stored changes. A verification that works finds and names each of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.features import Entity, EntityState, FeatureSet
from domain.features.kernel.arrays import Floats, Ints
from projections.online.port import Read, ReadStates

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(slots=True)
class Planted:
    """What was altered, as (comparison, feature or entity)."""

    made: list[tuple[str, str]] = field(default_factory=list)


def plant_in_vectors(
    where: str,
    stored: Iterator[tuple[Ints, Floats]],
    features: FeatureSet,
    compared: Ints,
    planted: Planted,
) -> Iterator[tuple[Ints, Floats]]:
    """Flips the last bit of one known value of the first row whose id is among `compared`."""
    done = False
    for ids, values in stored:
        rows = np.flatnonzero(np.isin(ids, compared)) if not done else _NONE
        if len(rows):
            done = True
            row = int(rows[len(rows) // 2])
            column = int(np.flatnonzero(~np.isnan(values[row]))[-1])
            values = values.copy()
            values[row].view(np.int64)[column] ^= 1
            planted.made.append((where, features.names[column]))
        yield ids, values


def plant_in_states(read: ReadStates, planted: Planted) -> ReadStates:
    """Flips a bit of the last byte of the first state that is read."""
    done = False

    def altered(keys: Sequence[tuple[Entity, str]]) -> Read:
        nonlocal done
        found = read(keys)
        for at, state in enumerate(found.states):
            if not done and state.version:
                done = True
                data = bytearray(state.to_bytes())
                data[-1] ^= 1
                found.states[at] = EntityState.from_bytes(
                    state.entity, state.key, bytes(data), state.features
                )
                planted.made.append(("online states", state.key))
        return found

    return altered
