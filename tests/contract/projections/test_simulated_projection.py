"""The projection of the simulated PostgreSQL under the BatchProjection contract."""

from collections import defaultdict
from random import Random
from typing import Any

import pytest

from eventlog.topics import TRANSACTIONS
from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.postgres import PostgresServer, SimulatedProjection
from faults.servers.trouble import Trouble
from tests.contract.projections.contract import BatchProjectionContract, Store


class TestSimulatedProjection(BatchProjectionContract):
    @pytest.fixture
    def store(self) -> Store:
        server = PostgresServer(Trouble(SeededLoop(Random(1))))
        process = Process("tests", "host")

        def connected() -> SimulatedProjection:
            return SimulatedProjection(server, process, "rows", TRANSACTIONS.name)

        connected()
        held = server.projections["rows"]

        def rows() -> Any:
            found: dict[int, dict[int, str]] = defaultdict(dict)
            for (partition, offset), status in held.statuses.items():
                found[partition][offset] = status
            return dict(found)

        def position(partition: int) -> tuple[int, ...]:
            kept = list(rows().get(partition, {}).values())
            counts = kept.count("counts"), kept.count("void"), kept.count("dead")
            return held.next[partition], *counts

        def forget() -> None:
            held.epochs.update(list(held.epochs))
            held.next.clear()
            held.statuses.clear()

        return Store(connected, forget, rows, position, "NUL")
