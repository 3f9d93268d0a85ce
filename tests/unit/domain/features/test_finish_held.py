"""The states of a decision, finished in one call, have the bits of each by itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.features import Entity, EntityState, encode_held, entity_keys
from domain.features.engine import blank, finish_and_fold
from domain.features.events import place_of
from domain.features.finish import finish_held
from domain.features.kernel.row_layout import PARTITIONS, WIDTH
from domain.features.rows import request_row, row_of
from domain.features.state import Row
from domain.transactions import Transaction
from tests.builders.feature_streams import SMALL, Placed, bits, examples, logs, transactions

Given = tuple[EntityState, list[int], list[Row]]


def stored(entity: Entity, key: str, events: list[Placed]) -> EntityState:
    state = EntityState(entity, key, SMALL)
    for each in events:
        state.fold(*each)
    return EntityState.from_bytes(entity, key, state.to_bytes(), SMALL)


def one_by_one(given: list[Given], request: Row) -> tuple[list[float | None], list[str]]:
    """What covers a state is looked at in Python; then it is finished as histories are."""
    vector, held = blank(SMALL, 1), []
    rows = np.array([request], dtype=np.int64).reshape(1, WIDTH)
    first = np.zeros(1, dtype=np.int64)
    for state, covers, recent in given:
        upto = {p: max(at, state.version.get(p, -1)) for p, at in enumerate(covers)}
        beside = [
            (row[0], row[1]) for row in recent if row[1] > upto[row[0]] and state.fold_row(row)
        ]
        held.append(encode_held({p: at for p, at in upto.items() if at >= 0}, beside))
        finish_and_fold(SMALL, state.entity, [state.to_bytes()], first, rows, first, vector)
    return vector[0].tolist(), held


@examples(80)
@given(logs(), transactions(), st.data())
def test_many_states_in_one_call_are_finished_and_held_as_one_by_one(
    log: list[Placed], transaction: Transaction, data: st.DataObject
) -> None:
    given: list[Given] = []
    for entity, key in entity_keys(transaction).items():
        mine = [each for each in log if entity_keys(each.event).get(entity) == key]
        held = data.draw(st.integers(0, len(mine)))
        covers = [data.draw(st.integers(-1, 9)) for _ in range(3)] + [-1] * (PARTITIONS - 3)
        beside = mine[data.draw(st.integers(0, held)) :]
        rows = sorted(row_of(*each) for each in beside)
        given.append((stored(entity, key, mine[:held]), covers, rows))
    covered = np.array([[-1] * PARTITIONS, *(covers for _, covers, _ in given)], dtype=np.int64)
    states = {state.entity: state for state, _, _ in given}
    recents = [rows for _, _, rows in given]
    vector, held_texts = finish_held(states, transaction, SMALL, covered, recents)
    expected, texts = one_by_one(given, request_row(transaction, place_of(transaction)))
    assert held_texts == texts
    of_request = {each.name for each in SMALL.features if each.entity is None}
    differing = {
        name: (mine, theirs)
        for name, mine, theirs in zip(SMALL.names, vector, expected, strict=True)
        if name not in of_request and bits([mine]) != bits([theirs])
    }
    assert not differing
