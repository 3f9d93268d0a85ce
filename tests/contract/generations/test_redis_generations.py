"""Generations in a real Redis under their contract."""

from collections.abc import Callable

import pytest

from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.generations import Generations
from runtime.settings import Settings
from tests.contract.generations.contract import GenerationsContract


class TestRedisGenerations(GenerationsContract):
    @pytest.fixture
    def connect(self, online_settings: Settings) -> Callable[[], Generations]:
        config = repo_config(online_settings)
        return lambda: RedisGenerations(config)
