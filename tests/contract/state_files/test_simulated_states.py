"""The simulated disk's states under the StateFile contract."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.disk import Disk
from faults.servers.states_file import DiskStates
from faults.servers.trouble import Trouble
from projections.offline.entity_states import StateFile
from tests.contract.state_files.contract import StateFileContract

PROCESS = Process("offline-1", "east")


class TestDiskStates(StateFileContract):
    @pytest.fixture
    def open_file(self) -> Iterator[Callable[[], StateFile]]:
        loop, disk = SeededLoop(Random(1)), Disk()
        trouble = Trouble(loop)
        yield lambda: DiskStates(disk.states_of(PROCESS.name), PROCESS, trouble)
        loop.bury()
