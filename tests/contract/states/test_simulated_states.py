"""The simulated Redis under the StateStore contract."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.redis import RedisServer, SimulatedStates
from faults.servers.trouble import Trouble
from projections.online.port import StateStore
from tests.contract.states.contract import Key, StateStoreContract


class TestSimulatedStates(StateStoreContract):
    @pytest.fixture
    def server(self) -> Iterator[RedisServer]:
        loop = SeededLoop(Random(1))
        yield RedisServer(Trouble(loop))
        loop.bury()

    @pytest.fixture
    def open_store(self, server: RedisServer) -> Callable[[], StateStore]:
        return lambda: SimulatedStates(server, Process("features-1", "east"))

    @pytest.fixture
    def lose(self, server: RedisServer) -> Callable[[Key], None]:
        return server.holds.states.__delitem__

    @pytest.fixture
    def lose_index(self, server: RedisServer) -> Callable[[int], None]:
        return server.holds.begun.__delitem__
