"""The in-memory generations of the tests under the Generations contract."""

from collections.abc import Callable

import pytest

from projections.online.generations import Generations
from tests.contract.generations.contract import GenerationsContract
from tests.fakes.generations import InMemoryGenerations


class TestInMemoryGenerations(GenerationsContract):
    @pytest.fixture
    def connect(self) -> Callable[[], Generations]:
        generations = InMemoryGenerations()
        return lambda: generations
