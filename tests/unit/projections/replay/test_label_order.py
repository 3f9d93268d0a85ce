"""Order of labels: of one transaction the last of the log counts, in every engine alike.

Two hosts write them, whose clocks are apart: known times go back, and are often equal.
"""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.features import Entity, EntityState, FeatureEvent, entity_keys, finish
from domain.features.events import digest
from domain.features.reference.naive import reference_vector
from domain.times import HOUR, MINUTE
from domain.transactions import Transaction
from projections.offline.entity_states import EntityStates
from projections.offline.ideal_fold import Due, IdealFold
from projections.offline.merge import Entry, Merge
from projections.replay.ideal import ideal_vectors
from tests.builders.feature_streams import SMALL, T0, Placed, bits, examples
from tests.unit.projections.replay.histories import place, table

PARTITIONS = 2
MOMENTS = st.one_of(
    st.sampled_from([0, 1, MINUTE, 5 * MINUTE, HOUR]),
    st.integers(0, 20).map(lambda minutes: minutes * MINUTE),
    # Beyond the three hours that states of SMALL look back.
    st.sampled_from([3 * HOUR + 10 * MINUTE, 4 * HOUR, 7 * HOUR]),
)


@st.composite
def disputes(draw: st.DrawFn) -> list[Placed]:
    """Payments of one payer at one shop, each labelled again and again, more than are kept."""
    told: list[tuple[str, FeatureEvent]] = []
    names = [f"t{number}" for number in range(draw(st.integers(1, 4)))]
    for number in range(draw(st.integers(2, 18))):
        name = draw(st.sampled_from(names))
        event = _paid(f"p{number}", T0 + draw(MOMENTS))
        if draw(st.integers(0, 3)):
            event = event._replace(
                kind="label", transaction_id=name, order=draw(st.integers(0, 3)) << 62 | number,
                label=draw(st.integers(0, 1)),
            )  # fmt: skip
        told.append((event.transaction_id, event))
    ends = [0] * PARTITIONS
    log: list[Placed] = []
    for name, event in told:
        partition = digest(name) % PARTITIONS
        log.append(Placed(partition, ends[partition], event))
        ends[partition] += 1
    return log


def _paid(name: str, time: int) -> FeatureEvent:
    event = FeatureEvent("transaction", time, digest(name), time, name, time, 1000)
    return event._replace(customer_id="ann", merchant_id="shop")


def in_log_order(facts: Sequence[Placed]) -> list[Placed]:
    return sorted(facts, key=lambda fact: (fact.partition, fact.offset))


def asked_by(event: FeatureEvent) -> Transaction:
    return Transaction(
        transaction_id=event.transaction_id, timestamp=event.time, amount=event.base_amount,
        currency="EUR", base_amount=event.base_amount, customer_id="ann", merchant_id="shop",
    )  # fmt: skip


def streamed(facts: Sequence[Placed], x: Transaction) -> list[float | None]:
    """Folded as the entity writer does: each partition in the order of its offsets."""
    states = {entity: EntityState(entity, key, SMALL) for entity, key in entity_keys(x).items()}
    for partition, offset, event in facts:
        for entity in entity_keys(event):
            states[entity].fold(partition, offset, event)
    return finish(states, x, SMALL)


def merged(log: Sequence[Placed], turns: Sequence[int]) -> list[list[float | None]]:
    """The vectors of the offline worker, in the order of known time."""
    merge, fold = Merge(PARTITIONS, settle=2.0), IdealFold(SMALL, EntityStates(SMALL.entities))
    waiting = {p: [fact for fact in log if fact.partition == p] for p in range(PARTITIONS)}
    for partition in turns:
        at, offset, event = waiting[partition].pop(0)
        wanted = event.kind == "transaction"
        merge.add([Entry(at, offset, event.known_time, 0.0, "counts", event, wanted)])
    for partition in range(PARTITIONS):
        merge.idle(partition, 10.0)
    taken = [entry for entry in merge.take(len(log)) if entry.event]
    events = [(each, each.event) for each in taken if each.event]
    made = fold.fold([Due(x, e.wanted, e.overruled, entity_keys(x)) for e, x in events])
    return [list(row) for row in made.values.tolist()]


@examples(200)
@given(disputes(), st.data())
def test_every_engine_lets_the_last_label_of_the_log_count(
    log: list[Placed], data: st.DataObject
) -> None:
    events = table(log)
    replayed = ideal_vectors(events, SMALL, threads=1).values
    by_known = sorted(log, key=place)
    turns = data.draw(st.permutations([fact.partition for fact in log]))
    offline = merged(log, turns)
    row = 0
    for at, fact in enumerate(by_known):
        if fact.event.label is not None:
            continue
        x, before = asked_by(fact.event), by_known[:at]
        expected = bits(reference_vector([f.event for f in in_log_order(before)], x, SMALL))
        assert bits(streamed(in_log_order(before), x)) == expected
        assert bits(replayed[row].tolist()) == expected
        assert bits(offline[row]) == expected
        row += 1
    assert row == len(replayed)


@examples(100)
@given(disputes(), st.data())
def test_states_hold_the_same_bytes_wherever_a_restart_cuts_the_log(
    log: list[Placed], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(log)))
    for entity, key in ((Entity.MERCHANT, "shop"), (Entity.PAYER, "ann")):
        whole, first = EntityState(entity, key, SMALL), EntityState(entity, key, SMALL)
        for partition, offset, event in log:
            whole.fold(partition, offset, event)
        for partition, offset, event in log[:cut]:
            first.fold(partition, offset, event)
        again = EntityState.from_bytes(entity, key, first.to_bytes(), SMALL)
        for partition, offset, event in in_log_order(log):
            again.fold(partition, offset, event)
        assert again.to_bytes() == whole.to_bytes()
        assert np.array_equal(again.inspect().items, whole.inspect().items)
