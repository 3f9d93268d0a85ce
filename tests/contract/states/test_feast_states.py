"""Feast's states in a real Redis under the StateStore contract."""

from collections.abc import Callable, Iterator

import pytest
import redis

from feature_repo.names import state_view
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.adapters.state_keys import address
from projections.online.adapters.state_layout import fields_of
from projections.online.port import StateStore
from runtime.settings import Settings
from tests.builders.workers.history import save, state_of
from tests.contract.states.contract import CARD, SHARD, Key, StateStoreContract, swept


class TestFeastStates(StateStoreContract):
    @pytest.fixture
    def open_store(self, online_settings: Settings) -> Callable[[], StateStore]:
        config = repo_config(online_settings)
        return lambda: FeastStateStore(config)

    @pytest.fixture
    def client(self, online_settings: Settings) -> Iterator[redis.Redis]:
        with redis.Redis.from_url(online_settings.redis_url) as client:
            yield client

    @pytest.fixture
    def lose(self, client: redis.Redis) -> Callable[[Key], None]:
        return lambda key: _removed(client, in_redis(key))

    @pytest.fixture
    def lose_index(self, client: redis.Redis) -> Callable[[int], None]:
        return lambda shard: _removed(client, f"retrace:begun:retrace.g1:{shard}")

    @pytest.mark.parametrize("field", fields_of(state_view(CARD[0])))
    def test_a_state_that_lacks_a_field_is_swept_up_and_can_be_written_again(
        self, states: StateStore, client: redis.Redis, field: str | bytes
    ) -> None:
        save(states, state_of(range(3)))
        client.hdel(in_redis(CARD), field)  # type: ignore[arg-type]
        assert swept(states, [SHARD]) == {CARD}
        stored = state_of(range(2))
        if field == fields_of(state_view(CARD[0]))[1]:
            assert states.read([CARD]).lost == {CARD}
        else:
            stored = states.read([CARD]).states[0]
            assert stored.version == {0: 2}
        states.claim({SHARD: 0}, {SHARD})
        save(states, stored)
        assert states.read([CARD]).states[0].version == stored.version


def in_redis(key: Key) -> bytes:
    return address(*key) + b"retrace.g1"


def _removed(client: redis.Redis, name: str | bytes) -> None:
    assert client.delete(name) == 1
