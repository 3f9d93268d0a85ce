"""The simulated Redis under the StateStore contract."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.redis import RedisServer, SimulatedStates
from faults.servers.trouble import Trouble
from projections.online.port import StateStore
from tests.contract.states.contract import StateStoreContract


class TestSimulatedStates(StateStoreContract):
    @pytest.fixture
    def open_store(self) -> Iterator[Callable[[], StateStore]]:
        loop = SeededLoop(Random(1))
        server = RedisServer(Trouble(loop))
        yield lambda: SimulatedStates(server, Process("features-1", "east"))
        loop.bury()
