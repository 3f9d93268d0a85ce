"""Sizes of the online states: how many there are, how large, and how many were evicted."""

import redis

from domain.features import CATALOGUE, Entity
from domain.features.entities import pair_key
from domain.features.state import EntityState
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.adapters.state_bulk import BulkStates, Sizes
from projections.online.adapters.state_keys import address
from runtime.settings import Settings
from tests.builders.workers.history import save, state_of


def measured(settings: Settings, generation: int, entity: Entity = Entity.CARD) -> Sizes:
    bulk = BulkStates(repo_config(settings), generation)
    list(bulk.measure())
    return bulk.sizes[entity]


def test_lost_states_are_counted(states: FeastStateStore, settings: Settings) -> None:
    for number in range(5):
        save(states, state_of(range(3), key=f"c{number}"))
        save(states, state_of(range(4), key=f"c{number}"))
    assert (len(measured(settings, 1).lengths), measured(settings, 1).lost) == (5, 0)
    client = redis.Redis.from_url(settings.redis_url)
    client.delete(address(Entity.CARD, "c1") + b"retrace.g1")
    client.close()
    assert (len(measured(settings, 1).lengths), measured(settings, 1).lost) == (4, 1)


def test_a_generation_written_at_once_reads_as_one_that_was_streamed(
    states: FeastStateStore, settings: Settings
) -> None:
    config = repo_config(settings)
    other = RedisGenerations(config).begin(CATALOGUE, "at once")
    bulk = BulkStates(config, other.number)
    keys = [f"c{number}" for number in range(2_500)]
    made = [state_of(range(number % 3 + 1), key=key) for number, key in enumerate(keys)]
    for _ in range(2):
        written = bulk.write(Entity.CARD, keys, [state.to_bytes() for state in made], 0)
        assert sum(written) == len(keys)
    save(states, *made)
    asked = [(Entity.CARD, key) for key in keys]
    there = [state.to_bytes() for state in states.at(other).read(asked).states]
    assert there == [state.to_bytes() for state in states.read(asked).states]
    assert measured(settings, other.number).lost == 0
    assert len(measured(settings, other.number).lengths) == len(keys)


def test_the_largest_states_are_named(states: FeastStateStore, settings: Settings) -> None:
    pair = EntityState(Entity.PAYER_MERCHANT, pair_key("anna b", "3:x"))
    save(states, pair, state_of(range(3)), state_of(range(30), key="busy"))
    bulk = BulkStates(repo_config(settings), 1)
    list(bulk.measure())
    names = {e: [bulk.name_of(key) for _, key in s.largest] for e, s in bulk.sizes.items()}
    assert names[Entity.PAYER_MERCHANT] == ["anna b 3:x"]
    assert names[Entity.CARD][0] == "busy"
