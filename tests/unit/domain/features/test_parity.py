"""The fold equals the naive reference bit for bit, in whatever order events came."""

import struct

from hypothesis import example, given
from hypothesis import strategies as st

from domain.features import CATALOGUE, Entity, EntityState, FeatureSet, entity_keys, finish
from domain.features.reference.naive import reference_vector
from domain.times import HOUR
from domain.transactions import Transaction
from tests.builders.feature_events import labelled
from tests.builders.feature_streams import (
    CATALOGUE_REACH,
    SMALL,
    T0,
    Placed,
    examples,
    folded,
    logs,
    transactions,
)
from tests.fakes.events import transaction


def bits(vector: list[float | None]) -> list[bytes | None]:
    return [None if value is None else struct.pack("<d", value) for value in vector]


def differing(
    log: list[Placed],
    transaction: Transaction,
    states: dict[Entity, EntityState],
    features: FeatureSet,
) -> dict[str, tuple[float | None, float | None]]:
    served = finish(states, transaction, features)
    ideal = reference_vector([fact.event for fact in log], transaction, features)
    return {
        name: (mine, theirs)
        for name, mine, theirs, a, b in zip(
            features.names, served, ideal, bits(served), bits(ideal), strict=True
        )
        if a != b
    }


def shuffled(draw: st.DrawFn, log: list[Placed]) -> list[Placed]:
    """Another interleaving of the partitions; within each the order of offsets stays."""
    order = draw(st.permutations(log))
    queues = {p: [fact for fact in log if fact.partition == p] for p, _, _ in log}
    return [queues[fact.partition].pop(0) for fact in order]


interleaved = st.composite(lambda draw, log: shuffled(draw, log))


@examples(125)
@given(logs(), transactions())
def test_aggregations_give_the_reference_bits(log: list[Placed], transaction: Transaction) -> None:
    states = folded(log, transaction, SMALL)
    assert differing(log, transaction, states, SMALL) == {}
    stored = {
        entity: EntityState.from_bytes(entity, state.key, state.to_bytes(), SMALL)
        for entity, state in states.items()
    }
    assert differing(log, transaction, stored, SMALL) == {}


@examples(75)
@given(logs(CATALOGUE_REACH, 40), transactions(CATALOGUE_REACH))
def test_the_catalogue_gives_reference_bits(log: list[Placed], transaction: Transaction) -> None:
    states = folded(log, transaction, CATALOGUE)
    assert differing(log, transaction, states, CATALOGUE) == {}


@examples(50)
@given(logs(), transactions(), st.data())
def test_a_restart_at_any_point_and_a_replayed_stretch_change_nothing(
    log: list[Placed], transaction: Transaction, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(log)))
    again = data.draw(st.integers(0, cut))
    whole = folded(log, transaction, SMALL)
    for entity, state in folded(log[:cut], transaction, SMALL).items():
        restored = EntityState.from_bytes(entity, state.key, state.to_bytes(), SMALL)
        for partition, offset, event in log[again:]:
            if entity_keys(event).get(entity) == state.key:
                restored.fold(partition, offset, event)
        assert restored.to_bytes() == whole[entity].to_bytes()
        assert finish({entity: restored}, transaction, SMALL) == finish(
            {entity: whole[entity]}, transaction, SMALL
        )


@examples(75)
@given(logs(), transactions(), st.data())
def test_any_interleaving_of_the_partitions_gives_the_same_bytes(
    log: list[Placed], transaction: Transaction, data: st.DataObject
) -> None:
    other = data.draw(interleaved(log))
    mine, theirs = folded(log, transaction, SMALL), folded(other, transaction, SMALL)
    for entity, state in mine.items():
        assert state.to_bytes() == theirs[entity].to_bytes()
        assert state.dropped == theirs[entity].dropped


@examples(75)
@given(logs(), transactions(), st.data())
def test_merging_states_of_disjoint_sets_equals_folding_all(
    log: list[Placed], transaction: Transaction, data: st.DataObject
) -> None:
    side = [data.draw(st.booleans()) for _ in range(3)]
    left = folded([f for f in log if side[f.partition]], transaction, SMALL)
    right = folded([f for f in log if not side[f.partition]], transaction, SMALL)
    whole = folded(log, transaction, SMALL)
    for entity, state in left.items():
        before = right[entity].to_bytes()
        state.merge(right[entity])
        assert state.to_bytes() == whole[entity].to_bytes()
        assert right[entity].to_bytes() == before


@examples(50)
@given(logs(), transactions(), st.data())
def test_a_tail_folded_onto_a_copy_joins_without_a_gap(
    log: list[Placed], transaction: Transaction, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(log)))
    start = data.draw(st.integers(0, cut))
    stored = folded(log[:cut], transaction, SMALL)
    before = {entity: state.to_bytes() for entity, state in stored.items()}
    copies = {entity: state.copy() for entity, state in stored.items()}
    for partition, offset, event in log[start:]:
        for entity, state in copies.items():
            if entity_keys(event).get(entity) == state.key:
                state.fold(partition, offset, event)
    assert differing(log, transaction, copies, SMALL) == {}
    assert {entity: state.to_bytes() for entity, state in stored.items()} == before


@examples(50)
@given(logs(), transactions())
def test_an_event_at_or_below_the_version_changes_nothing(
    log: list[Placed], transaction: Transaction
) -> None:
    for entity, state in folded(log, transaction, SMALL).items():
        before = state.to_bytes()
        for partition, offset, event in log:
            if offset <= state.version.get(partition, -1):
                assert not state.fold(partition, offset, event)
        assert state.to_bytes() == before, entity


# One of the labels is a microsecond older than the tiles that the horizon keeps.
LABELS = [labelled("t", T0 + 9 * HOUR, 0, "later"), labelled("t", T0 + 6 * HOUR - 1, 0, "earlier")]
AT_SHOP = transaction("x", merchant_id="shop")


@examples(50)
@given(logs(), transactions())
@example([Placed(0, offset, label) for offset, label in enumerate(LABELS)], AT_SHOP)
@example([Placed(0, offset, label) for offset, label in enumerate(LABELS[::-1])], AT_SHOP)
def test_what_lies_before_the_horizon_is_counted_whenever_it_came(
    log: list[Placed], transaction: Transaction
) -> None:
    """In `SMALL` the longest horizon is three hours; a merchant's labels are capped at two."""
    state = folded(log, transaction, SMALL).get(Entity.MERCHANT)
    if state is None:
        return
    events = [fact.event for fact in log if fact.event.merchant_id == state.key]
    tile, horizon = 300_000_000, 3 * 3_600_000_000
    expected = 0
    for kind, cap in (("transaction", len(events)), ("label", 2)):
        its = [event.time for event in events if event.kind == kind]
        oldest = (max(its, default=0) - horizon) // tile
        expected += len(its) - min(sum(time // tile >= oldest for time in its), cap)
    assert state.dropped == expected
