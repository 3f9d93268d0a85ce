"""A read asks for what the features need, and records what it folded and no more."""

import pytest

from domain.features import CATALOGUE, Entity, encode_versions, entity_keys
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES
from projections.online.port import Marker
from projections.online.reader import OnlineFeatureReader
from tests.builders.workers.history import transaction
from tests.fakes.states import InMemoryServing, InMemoryStates, NoTail


async def test_a_decision_records_the_entities_of_its_features_alone() -> None:
    reader = OnlineFeatureReader(InMemoryServing(InMemoryStates()), lambda *answer: answer)
    asked = transaction(1)
    assert asked.customer_id is not None
    assert asked.device_id is not None
    features, values, versions, flags = await reader.read(asked, NoTail())
    assert features is CATALOGUE
    assert list(versions) == [entity.value for entity in CATALOGUE.entities]
    assert Entity.CUSTOMER.value not in versions
    assert values[CATALOGUE.names.index("payer_count_1d")] == 0.0
    assert flags == []


class Moving(NoTail):
    """The tail of a process that has read ten records, and remembers none of the first three."""

    def starts(self) -> list[int]:
        return [3, *super().starts()[1:]]

    def ends(self) -> list[int]:
        return [10, *super().ends()[1:]]


@pytest.mark.parametrize("lost", [False, True])
async def test_of_a_state_that_is_lost_nothing_is_said_to_be_covered(lost: bool) -> None:
    states, asked = InMemoryStates(), transaction(1)
    key = Entity.MERCHANT, entity_keys(asked)[Entity.MERCHANT]
    states.marks.update({shard: Marker(9, {0: 7}) for shard in range(ENTITIES.partitions)})
    if lost:
        states.begun[shard_of(*key)].add(key)
    reader = OnlineFeatureReader(InMemoryServing(states), lambda *answer: answer)
    _, _, versions, flags = await reader.read(asked, Moving())
    covered = encode_versions({0: 9})
    assert versions.pop(Entity.MERCHANT.value) == ("" if lost else covered)
    assert set(versions.values()) == {covered}
    assert flags == (["stale_features"] if lost else [])
