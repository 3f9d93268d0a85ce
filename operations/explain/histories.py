"""Histories: the events of each entity, and the features that they give, as decisions do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from domain.features import Entity, EntityState, FeatureSet, entity_keys, finish
from domain.features.engine import fold_states
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import WIDTH, Rows
from domain.transactions import Transaction
from eventlog.events_table import EventTable
from operations.explain.standing import Moment, before, of_entity

Vector = list[float | None]


@dataclass(frozen=True, slots=True)
class History:
    """Of one entity: numbers of the rows of a table, and the rows as they count."""

    at: Ints
    rows: Rows

    def state(self, entity: Entity, key: str, features: FeatureSet) -> EntityState:
        made = EntityState(entity, key, features)
        owners = np.zeros(len(self.rows), dtype=np.int64)
        made.settle(fold_states(features, entity, [None], owners, self.rows)[0])
        return made


@dataclass(slots=True)
class Histories:
    """`read` are those of the payment itself; `others` the events of whom it might have named.

    An entity that is not in `read` was not read: its features are at their defaults.
    """

    features: FeatureSet
    transaction: Transaction
    moment: Moment
    read: Mapping[Entity, History]
    others: EventTable | None = None
    _states: dict[tuple[Entity, str], EntityState] = field(default_factory=dict)

    def vector(self, transaction: Transaction) -> Vector:
        """As it would have been served of this transaction, in the place of the payment."""
        own = entity_keys(self.transaction)
        states: dict[Entity, EntityState] = {}
        for entity, key in entity_keys(transaction).items():
            if entity in self.read and entity in self.features.entities:
                states[entity] = self._state(entity, key, own.get(entity))
        return finish(states, transaction, self.features)

    def _state(self, entity: Entity, key: str, own: str | None) -> EntityState:
        found = self._states.get((entity, key))
        if found is None:
            history = self.read[entity] if key == own else self._other(entity, key)
            found = self._states[entity, key] = history.state(entity, key, self.features)
        return found

    def _other(self, entity: Entity, key: str) -> History:
        """Of one that the payment does not name: all that a perfect reader would have seen."""
        events = self.others
        if events is None:
            return NOTHING
        at = of_entity(events, entity, key, self.transaction.transaction_id)
        at = at[before(events.rows[at], events.known[at], self.moment)]
        return History(at, events.rows[at])


NOTHING = History(np.zeros(0, dtype=np.int64), np.zeros((0, WIDTH), dtype=np.int64))
