"""Simulated stores under the BoundStore contract."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from eventlog.binding.bound import BoundStore
from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.bound import BoundDisk, BoundKeyspace, BoundTables
from faults.servers.disk import Disk
from faults.servers.postgres import PostgresServer
from faults.servers.redis import RedisServer, SimulatedStates
from faults.servers.trouble import Trouble
from tests.contract.bindings.contract import BoundStoreContract

PROCESS = Process("features-1", "east")


@pytest.fixture
def trouble() -> Iterator[Trouble]:
    loop = SeededLoop(Random(1))
    yield Trouble(loop)
    loop.bury()


class TestBoundDisk(BoundStoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], BoundStore]:
        disk = Disk()
        return lambda: BoundDisk(disk, PROCESS)


class TestBoundKeyspace(BoundStoreContract):
    @pytest.fixture
    def open_store(self, trouble: Trouble) -> Callable[[], BoundStore]:
        server = RedisServer(trouble)
        return lambda: BoundKeyspace(SimulatedStates(server, PROCESS))


class TestBoundTables(BoundStoreContract):
    @pytest.fixture
    def open_store(self, trouble: Trouble) -> Callable[[], BoundStore]:
        server = PostgresServer(trouble)
        return lambda: BoundTables(server, PROCESS)
