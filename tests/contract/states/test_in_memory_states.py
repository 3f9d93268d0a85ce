"""The in-memory states of the tests under the StateStore contract."""

from collections.abc import Callable

import pytest

from projections.online.port import StateStore
from tests.contract.states.contract import StateStoreContract
from tests.fakes.states import InMemoryStates


class TestInMemoryStates(StateStoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], StateStore]:
        states = InMemoryStates()
        return lambda: states
