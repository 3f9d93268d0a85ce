"""Feast's states in a real Redis under the StateStore contract."""

from collections.abc import Callable

import pytest

from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.port import StateStore
from runtime.settings import Settings
from tests.contract.states.contract import StateStoreContract


class TestFeastStates(StateStoreContract):
    @pytest.fixture
    def open_store(self, online_settings: Settings) -> Callable[[], StateStore]:
        config = repo_config(online_settings)
        return lambda: FeastStateStore(config)
