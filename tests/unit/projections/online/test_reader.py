"""Reader of a decision: what it asks for and records, and how it says what may be missing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from domain.events import Envelope
from domain.features import CATALOGUE, Entity, EntityState, decode_held, entity_keys, feature_event
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import Marker
from projections.online.reader import OnlineFeatureReader
from tests.builders.workers.history import transaction
from tests.fakes.events import decision_on
from tests.fakes.states import Beside, InMemoryServing, InMemoryStates, nothing_yet

COUNT = CATALOGUE.names.index("payer_count_90d")
ASKED = transaction(1)


def reader_of(serving: InMemoryServing, ends: Sequence[int] = ()) -> OnlineFeatureReader[Any]:
    async def told() -> Sequence[int]:
        return ends

    return OnlineFeatureReader(serving, told, lambda *answer: answer)


def decision(number: int) -> Envelope:
    return decision_on(ASKED, number)


async def test_a_decision_records_the_entities_of_its_features_alone() -> None:
    reader = OnlineFeatureReader(
        InMemoryServing(InMemoryStates()), nothing_yet, lambda *answer: answer
    )
    assert ASKED.customer_id is not None
    assert ASKED.device_id is not None
    features, values, versions, flags = await reader.read(ASKED)
    assert features is CATALOGUE
    assert list(versions) == [entity.value for entity in CATALOGUE.entities]
    assert Entity.CUSTOMER.value not in versions
    assert values[CATALOGUE.names.index("payer_count_1d")] == 0.0
    assert flags == []


@pytest.mark.parametrize("lost", [False, True])
async def test_of_a_state_that_is_lost_nothing_is_said_to_be_covered(lost: bool) -> None:
    states = InMemoryStates()
    key = Entity.MERCHANT, entity_keys(ASKED)[Entity.MERCHANT]
    states.marks.update({shard: Marker(9, {0: 7}) for shard in range(ENTITIES.partitions)})
    if lost:
        states.begun[shard_of(*key)].add(key)
    _, _, held, flags = await reader_of(InMemoryServing(states)).read(ASKED)
    assert decode_held(held.pop(Entity.MERCHANT.value)).upto == ({} if lost else {0: 7})
    assert {text: decode_held(text).upto for text in held.values()} == {held["payer"]: {0: 7}}
    assert flags == (["stale_features"] if lost else [])


async def test_what_was_answered_is_folded_and_recorded_by_its_place() -> None:
    states, beside = InMemoryStates(), Beside()
    one, other = (reader_of(InMemoryServing(states, beside)) for _ in range(2))
    await one.answered(3, 7, decision(1))
    await other.answered(0, 9, decision(2))
    for reader in (one, other):
        _, values, held, flags = await reader.read(ASKED)
        assert (values[COUNT], flags) == (2.0, [])
        assert decode_held(held["payer"]).beside == ((0, 9), (3, 7))


async def test_what_a_state_holds_by_now_is_folded_once() -> None:
    states, beside = InMemoryStates(), Beside()
    reader = reader_of(InMemoryServing(states, beside))
    await reader.answered(3, 7, decision(1))
    event = feature_event(decision(1))
    assert event is not None
    for key in entity_keys(event).items():
        state = EntityState(*key)
        state.fold(3, 7, event)
        states.stored[key] = state.to_bytes()
    _, values, held, _ = await reader.read(ASKED)
    assert (values[COUNT], decode_held(held["payer"])) == (1.0, ({3: 7}, ()))


async def test_what_found_no_room_is_flagged_and_so_is_nothing_else() -> None:
    states, beside = InMemoryStates(), Beside()
    reader = reader_of(InMemoryServing(states, beside, most=1))
    await reader.answered(3, 7, decision(1))
    assert (await reader.read(ASKED))[-1] == []
    await reader.answered(3, 8, decision(2))
    _, values, _, flags = await reader.read(ASKED)
    assert (values[COUNT], flags) == (1.0, ["stale_features"])


async def test_far_behind_the_log_nothing_more_is_kept_beside_the_states() -> None:
    states, beside = InMemoryStates(), Beside()
    states.marks = {shard: Marker(1, {3: 0}) for shard in range(ENTITIES.partitions)}
    reader = reader_of(InMemoryServing(states, beside))
    await reader.read(ASKED)
    await reader.answered(3, 1_000_000, decision(1))
    assert set(beside.values().__iter__().__next__().values()) == {None}
    assert (await reader.read(ASKED))[-1] == ["stale_features"]


async def test_a_server_that_was_met_anew_is_doubted_until_its_states_hold_all() -> None:
    states = InMemoryStates()
    serving = InMemoryServing(states)
    ends = [0] * TRANSACTIONS.partitions
    reader = reader_of(serving, ends)
    assert (await reader.read(ASKED))[-1] == []
    ends[3] = 8
    serving.life = 2
    for covered in (5, 6):
        states.marks = {shard: Marker(1, {3: covered}) for shard in range(ENTITIES.partitions)}
        assert (await reader.read(ASKED))[-1] == ["stale_features"]
    states.marks = {shard: Marker(1, {3: 7}) for shard in range(ENTITIES.partitions)}
    # What was answered after the server was met anew is beside its states.
    ends[3] = 9
    for _ in range(2):
        assert (await reader.read(ASKED))[-1] == []


async def test_a_doubt_that_was_given_up_is_not_for_ever() -> None:
    ended = asyncio.Event()

    async def hanging() -> Sequence[int]:
        await ended.wait()
        return []

    reader = OnlineFeatureReader(InMemoryServing(InMemoryStates()), hanging, lambda *answer: answer)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(ASKED), 0.01)
    ended.set()
    assert (await reader.read(ASKED))[-1] == []


async def test_while_a_process_is_silent_vectors_say_that_something_may_be_missing() -> None:
    states, words = InMemoryStates(), {"other": 10}
    serving = InMemoryServing(states, words=words)
    ends = [0] * TRANSACTIONS.partitions
    reader = reader_of(serving, ends)
    ends[3] = 8
    assert (await reader.read(ASKED))[-1] == ["stale_features"]
    states.marks = {shard: Marker(1, {3: 7}) for shard in range(ENTITIES.partitions)}
    assert (await reader.read(ASKED))[-1] == []
    serving.clock = 11
    # All that is in the log is in the states.
    assert (await reader.read(ASKED))[-1] == []
    ends[3] = 9
    for _ in range(2):
        assert (await reader.read(ASKED))[-1] == ["stale_features"]
    words.clear()
    assert (await reader.read(ASKED))[-1] == ["stale_features"]
    states.marks = {shard: Marker(1, {3: 8}) for shard in range(ENTITIES.partitions)}
    assert (await reader.read(ASKED))[-1] == []
