"""Fold of the ideal order: events in, by known time; vectors out."""

from collections.abc import Mapping, Sequence

import numpy as np

from domain.errors import IntegrityError
from domain.features import Entity, FeatureEvent, FeatureSet
from domain.features.engine import blank, finish_and_fold, run_groups
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.row_layout import IS_OVERRULED, PRESENT, Rows
from domain.features.rows import rows_of
from domain.records import record
from projections.offline.entity_states import EntityStates
from projections.offline.port import VectorRows


@record(frozen=True, slots=True)
class Due:
    """An event with the entities that it names, and whether its transaction's vector is wanted.

    `overruled` is a label that comes after one that stands behind it in the log.
    """

    event: FeatureEvent
    wanted: bool
    overruled: bool
    keys: Mapping[Entity, str]


class IdealFold:
    """Folds onto `states`, of which `folded` events are. Not thread-safe.

    Each event handed in is folded once, in the order given, whatever its offset: by known time the
    offsets of a partition need not rise.
    """

    def __init__(self, features: FeatureSet, states: EntityStates, folded: int = 0) -> None:
        self.features = features
        self._states = states
        self.folded = folded

    def fold(self, given: Sequence[Due]) -> VectorRows:
        """The vectors of those wanted, in their order.

        Raises ValueError or TypeError for an event that no state can hold; nothing is folded then.
        """
        first = self.folded
        rows = rows_of((0, first + at, each.event) for at, each in enumerate(given))
        rows[[each.overruled for each in given], PRESENT] |= IS_OVERRULED
        wanted = np.array([each.wanted for each in given], dtype=bool)
        due = np.full(len(given), -1, dtype=np.int64)
        due[wanted] = np.arange(int(wanted.sum()))
        out = blank(self.features, int(wanted.sum()))
        self._request(rows, due, out)
        for entity in self.features.entities:
            named = [each.keys.get(entity) for each in given]
            at = [place for place, key in enumerate(named) if key is not None]
            if at:
                mine = np.array(at, dtype=np.int64)
                keys = [key for key in named if key is not None]
                self._entity(entity, keys, rows[mine], due[mine], out)
        self.folded = first + len(given)
        made = [each.event for each in given if each.wanted]
        return VectorRows(
            [event.transaction_id for event in made],
            [event.time for event in made],
            [event.known_time for event in made],
            out,
        )

    def _request(self, rows: Rows, due: Ints, out: Floats) -> None:
        order = np.arange(len(rows), dtype=np.int64)
        spans = np.array([0, len(rows)], dtype=np.int64)
        run_groups(self.features.request, [b""], rows, order, spans, due, out, keep=False)

    def _entity(
        self, entity: Entity, keys: Sequence[str], rows: Rows, due: Ints, out: Floats
    ) -> None:
        numbers = dict[str, int]()
        owners = [numbers.setdefault(key, len(numbers)) for key in keys]
        before = self._states.at(entity, numbers)
        try:
            after = finish_and_fold(
                self.features, entity, before, np.array(owners, dtype=np.int64), rows, due, out
            )
        except IntegrityError as error:
            raise AssertionError(f"a state made here cannot be read: {error}") from error
        self._states.put(entity, dict(zip(numbers, after, strict=True)))
