"""The simulated PostgreSQL under the VectorStore contract."""

from collections.abc import Iterator
from dataclasses import astuple
from random import Random

import numpy as np
import pytest

from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.postgres import PostgresServer, SimulatedVectors
from faults.servers.trouble import Trouble
from projections.offline.port import Progress
from projections.offline.skew import Tally
from tests.contract.vectors.contract import KEY, Database, VectorStoreContract


class TestSimulatedVectors(VectorStoreContract):
    @pytest.fixture
    def kept(self) -> Iterator[Database]:
        loop = SeededLoop(Random(1))
        server = PostgresServer(Trouble(loop))
        yield Database(
            lambda: SimulatedVectors(server, Process("offline-1", "west")),
            lambda: {name: np.array(row.values).tobytes() for name, row in server.vectors.items()},
            lambda partition: astuple(server.offline.progress.get(partition, Progress(0))),
            lambda: astuple(server.offline.tallies.get(KEY, Tally())),
        )
        loop.bury()
