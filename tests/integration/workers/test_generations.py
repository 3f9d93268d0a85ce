"""Generations on a real Redis: a removed one takes no write, and a read never mixes two."""

import pytest
import redis
from feast import FeatureStore

from domain.errors import IntegrityError
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet
from eventlog.topics import ENTITIES
from feature_repo import served
from projections.online.adapters.feast_repo import feature_store, repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.port import Marker, Move
from runtime.composition.stores import open_feature_reader
from runtime.settings import Settings
from tests.builders.workers.history import save, state_of, transaction
from tests.fakes.states import nothing_yet

CARD = (Entity.CARD, "c1")


@pytest.fixture
def generations(settings: Settings) -> RedisGenerations:
    return RedisGenerations(repo_config(settings))


def of_set(features: FeatureSet, numbers: range) -> EntityState:
    state = EntityState(*CARD, features)
    for offset, row in enumerate(state_of(numbers).pending[1]):
        state.fold_row((row[0], offset, *row[2:]))
    return state


def test_a_removed_generation_refuses_writes(
    states: FeastStateStore, generations: RedisGenerations
) -> None:
    first = states.adopt().number
    generations.swap(first, generations.begin(CATALOGUE, "another").number)
    generations.drop(first, force=True)
    with pytest.raises(IntegrityError, match="removed"):
        save(states, state_of(range(3)))
    with pytest.raises(IntegrityError, match="removed"):
        states.save([], [Move(0, None, Marker(1, {0: 1}))])


def test_a_reader_of_a_removed_generation_looks_the_live_one_up_again(
    states: FeastStateStore, generations: RedisGenerations, settings: Settings
) -> None:
    reader = FeastStateStore(repo_config(settings), seconds=3600)
    save(states, state_of(range(3)))
    assert reader.read([CARD]).states[0].version == {0: 2}
    fewer = FeatureSet(CATALOGUE.features[:40])
    second = generations.begin(fewer, "fewer")
    shadow = states.at(second)
    save(shadow, of_set(fewer, range(5)))
    generations.swap(1, second.number)
    generations.drop(1, force=True)
    found = reader.read([CARD])
    assert (found.features.hash, found.states[0].version) == (fewer.hash, {0: 4})


def test_an_adopted_keyspace_is_flagged_before_anyone_can_read_it(states: FeastStateStore) -> None:
    assert states.markers().rebuilding == frozenset(range(ENTITIES.partitions))


def test_a_keyspace_of_an_earlier_version_is_never_used_as_a_new_one(settings: Settings) -> None:
    client = redis.Redis.from_url(settings.redis_url)
    client.hset("retrace:markers:retrace.g1", mapping={"at:0": "5|0:9"})
    states = FeastStateStore(repo_config(settings))
    assert states.adopt().number == 2
    assert states.markers().at == {}
    client.close()


def test_lost_markers_restart_over_the_states(states: FeastStateStore, settings: Settings) -> None:
    save(states, state_of(range(3)))
    redis.Redis.from_url(settings.redis_url).delete("retrace:markers:retrace.g1")
    with pytest.raises(IntegrityError):
        save(states, state_of(range(4)))
    assert states.adopt().number == 1
    save(states, state_of(range(4)))
    assert states.read([CARD]).states[0].version == {0: 3}


def test_an_interrupted_removal_is_listed_and_can_be_repeated(
    states: FeastStateStore, generations: RedisGenerations, settings: Settings
) -> None:
    other = generations.begin(CATALOGUE, "never used")
    save(states.at(other), state_of(range(3)))
    redis.Redis.from_url(settings.redis_url).hset(
        f"retrace:generation:retrace.g{other.number}", "closed", "1"
    )
    (shown,) = (each for each in generations.all() if each.number == other.number)
    assert "cut short" in shown.reason
    assert shown.features is None
    assert generations.drop(other.number) == 1
    assert [each.number for each in generations.all()] == [1]


def test_feast_finishes_states_of_another_set_than_the_catalogue(
    applied: Settings, states: FeastStateStore, generations: RedisGenerations
) -> None:
    """As while a rebuild is due, and after going back: values by name, and no read fails."""
    fewer = FeatureSet(f for f in CATALOGUE.features if f.name != "card_declined_1d")
    second = generations.begin(fewer, "fewer")
    save(states, state_of(range(5)))
    save(states.at(second), of_set(fewer, range(5)))
    store = feature_store(applied)
    before = read_online(store)
    generations.swap(1, second.number)
    store.config.online_store.pointer_seconds = 0.0
    after = read_online(store)
    assert before["card_count_1d"] == after["card_count_1d"] == 5
    assert after["card_declined_1d"] is None
    assert {name for name in before if before[name] != after[name]} == {"card_declined_1d"}


def test_a_client_pinned_to_a_generation_of_other_features_reads_it(
    applied: Settings,
    states: FeastStateStore,
    generations: RedisGenerations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a process that knows no feature set but the catalogue."""
    monkeypatch.setattr(served, "_met", [CATALOGUE])
    fewer = FeatureSet(f for f in CATALOGUE.features if f.name != "card_declined_1d")
    frozen = generations.begin(fewer, "as known at a moment")
    save(states.at(frozen), of_set(fewer, range(5)))
    store = feature_store(applied)
    store.config.online_store.generation = frozen.number
    values = read_online(store)
    assert (values["card_count_1d"], values["card_declined_1d"]) == (5, None)


def read_online(store: FeatureStore) -> dict[str, float | None]:
    """Of a payment of c1 in the moment after its fifth."""
    row = {
        "card_id": "c1", "payer_id": "", "merchant_id": "", "device_id": "", "ip": "",
        "timestamp": state_of(range(5)).latest + 1, "base_amount": 100, "country": "",
        "channel": "", "lat": float("nan"), "lon": float("nan"),
    }  # fmt: skip
    online = store.get_online_features(store.get_feature_service("scoring"), [row])
    return {name: values[0] for name, values in online.to_dict().items()}


async def test_a_process_reads_no_states_while_it_cannot_compute_the_live_ones(
    states: FeastStateStore, settings: Settings
) -> None:
    """As when a newer version runs beside it, or half of what describes them was lost."""
    save(states, state_of(range(3)))
    client = redis.Redis.from_url(settings.redis_url)
    described = "retrace:generation:retrace.g1"
    for spoil in (
        lambda: client.hset(described, "features", '{"semantics":1,"features":[]}'),
        lambda: client.delete(described),
    ):
        spoil()
        with open_feature_reader(settings, "test", nothing_yet) as reader:
            given = await reader.read(transaction(1))
        assert "features_unavailable" in given.flags
    client.close()
