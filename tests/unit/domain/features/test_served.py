"""Recomputation at recorded versions equals what was folded up to them, bit for bit."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.features import Entity, EntityState, entity_keys
from domain.features.engine import blank, finish_all
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.ordering import versions_before
from domain.features.kernel.row_layout import IS_REQUEST, KIND
from domain.features.rows import rows_of
from domain.features.served import served_at, served_beside, states_at
from tests.builders.feature_streams import PARTITIONS, SMALL, Placed, bits, examples, logs, numbered


def asked(
    log: list[Placed], entity: Entity, data: st.DataObject
) -> Iterator[tuple[int, str, list[int]]]:
    """Places in the log that name the entity, its key there, and how far a reader had come."""
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(log) - 1))
        key = entity_keys(log[at].event).get(entity)
        if key is not None:
            yield at, key, [data.draw(st.integers(-1, 80)) for _ in range(PARTITIONS)]


def finished(state: EntityState, row: Ints) -> Floats:
    """The vector of a request like the payment in this row."""
    vector: Floats = blank(SMALL, 1)[0]
    request = row.copy()
    request[KIND] = IS_REQUEST
    finish_all(SMALL, [(state.entity, state.to_bytes(), [])], request, vector)
    return vector


def version_row(version: dict[int, int]) -> list[int]:
    return [version.get(partition, -1) for partition in range(PARTITIONS)]


@examples(60)
@given(logs(), st.data())
def test_version_maps_give_vectors_and_states(log: list[Placed], data: st.DataObject) -> None:
    """Readers stop at any place of each partition: their version maps need not form a chain."""
    if not log:
        return
    rows, (codes, keys) = rows_of(log), numbered(log)
    entity = data.draw(st.sampled_from([Entity.PAYER, Entity.MERCHANT]))
    maps, asking, askers, made, kept = [], [], [], [], []
    for at, key, upto in asked(log, entity, data):
        state = EntityState(entity, key, SMALL)
        for partition, offset, event in log:
            if entity_keys(event).get(entity) == key and offset <= upto[partition]:
                state.fold(partition, offset, event)
        made.append(finished(state, rows[at]))
        kept.append((keys[entity].index(key), version_row(state.version), state.to_bytes()))
        maps.append(upto)
        asking.append(rows[at])
        askers.append(keys[entity].index(key))
    if not maps:
        return
    out = blank(SMALL, len(maps))
    requests = (np.array(asking), np.array(askers, dtype=np.int64))
    served_at(SMALL, entity, (rows, codes[entity]), requests, np.array(maps, dtype=np.int64), out)
    for mine, theirs in zip(out, made, strict=True):
        assert bits(mine.tolist()) == bits(theirs.tolist())
    last = {code: (version, state) for code, version, state in kept}
    again = states_at(
        SMALL,
        entity,
        (rows, codes[entity]),
        np.array(list(last), dtype=np.int64),
        np.array([version for version, _ in last.values()], dtype=np.int64),
    )
    assert again == [state for _, state in last.values()]


@examples(40)
@given(logs())
def test_the_version_before_each_row_is_that_of_the_state(log: list[Placed]) -> None:
    codes, _ = numbered(log)
    mine = codes[Entity.MERCHANT] >= 0
    rows, numbers = rows_of(log)[mine], codes[Entity.MERCHANT][mine]
    made = versions_before(rows, numbers, PARTITIONS)
    reached: dict[int, dict[int, int]] = {}
    for row, number, version in zip(rows, numbers.tolist(), made.tolist(), strict=True):
        held = reached.setdefault(number, {})
        assert version_row(held) == version
        held[int(row[0])] = int(row[1])


@examples(60)
@given(logs(), st.data())
def test_events_beside_the_versions_are_seen_too(log: list[Placed], data: st.DataObject) -> None:
    if not log:
        return
    rows, (codes, keys) = rows_of(log), numbered(log)
    entity = data.draw(st.sampled_from([Entity.PAYER, Entity.MERCHANT]))
    maps, besides, asking, askers, made = [], [], [], [], []
    for at, key, upto in asked(log, entity, data):
        mine = [n for n, each in enumerate(log) if entity_keys(each.event).get(entity) == key]
        above = [n for n in mine if log[n].offset > upto[log[n].partition]]
        beside = sorted(
            data.draw(st.sets(st.sampled_from(above), max_size=3)) if above else [],
            key=lambda n: (log[n].partition, log[n].offset),
        )
        state = EntityState(entity, key, SMALL)
        for n in mine:
            if log[n].offset <= upto[log[n].partition]:
                state.fold(log[n].partition, log[n].offset, log[n].event)
        for n in beside:
            state.fold(log[n].partition, log[n].offset, log[n].event)
        made.append(finished(state, rows[at]))
        maps.append(upto)
        besides.append(np.array(beside, dtype=np.int64))
        asking.append(rows[at])
        askers.append(keys[entity].index(key))
    if not maps:
        return
    out = blank(SMALL, len(maps))
    requests = (np.array(asking), np.array(askers, dtype=np.int64))
    versions = np.array(maps, dtype=np.int64)
    served_beside(SMALL, entity, (rows, codes[entity]), requests, versions, besides, out)
    for ours, theirs in zip(out, made, strict=True):
        assert bits(ours.tolist()) == bits(theirs.tolist())
