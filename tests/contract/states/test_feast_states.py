"""Feast's states in a real Redis under the StateStore contract."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.port import StateStore
from runtime.settings import Settings
from tests.contract.states.contract import StateStoreContract


class TestFeastStates(StateStoreContract):
    @pytest.fixture
    def open_store(self, servers: Settings, tmp_path: Path) -> Iterator[Callable[[], StateStore]]:
        url = servers.redis_url.rsplit("/", 1)[0] + "/7"
        config = repo_config(servers.model_copy(update={"redis_url": url, "state_dir": tmp_path}))
        with redis.Redis.from_url(url) as client:
            client.flushdb()
            yield lambda: FeastStateStore(config)
            client.flushdb()
