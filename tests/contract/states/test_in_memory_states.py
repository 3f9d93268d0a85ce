"""The in-memory states of the tests under the StateStore contract."""

from collections.abc import Callable

import pytest

from projections.online.port import StateStore
from tests.contract.states.contract import Key, StateStoreContract
from tests.fakes.states import InMemoryStates


class TestInMemoryStates(StateStoreContract):
    @pytest.fixture
    def made(self) -> InMemoryStates:
        return InMemoryStates()

    @pytest.fixture
    def open_store(self, made: InMemoryStates) -> Callable[[], StateStore]:
        return lambda: made

    @pytest.fixture
    def lose(self, made: InMemoryStates) -> Callable[[Key], None]:
        return made.stored.__delitem__

    @pytest.fixture
    def lose_index(self, made: InMemoryStates) -> Callable[[int], None]:
        return made.begun.__delitem__
