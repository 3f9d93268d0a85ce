"""The simulated Kafka's client under the EventLog contract, in the loop that it is made for."""

import asyncio
from random import Random
from typing import Any

import pytest

from eventlog.port import EventLog
from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.kafka import Cluster
from faults.servers.kafka_client import SimulatedLog
from faults.servers.trouble import Trouble
from tests.contract.eventlog.contract import EventLogContract


class TestSimulatedEventLog(EventLogContract):
    # One thread runs everything there, and time passes only when nothing else can.
    test_many_threads_append_each_record_once_and_read_it = None  # type: ignore[assignment]
    test_an_idle_tail_returns_nothing_at_its_timeout = None  # type: ignore[assignment]
    test_a_tail_of_no_partition_waits_for_its_timeout = None  # type: ignore[assignment]
    test_a_waiting_tail_wakes_for_the_next_append = None  # type: ignore[assignment]
    # No process that is simulated writes in bulk.
    test_bulk_and_awaited_appends_of_one_key_share_one_order = None  # type: ignore[assignment]
    test_bulk_appends_are_all_stored_after_flush_each_on_its_keys_partition = None  # type: ignore[assignment]

    @pytest.fixture
    def anyio_backend(self) -> Any:
        return "asyncio", {"loop_factory": lambda: SeededLoop(Random(1))}

    @pytest.fixture
    async def log(self) -> EventLog:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SeededLoop)
        return SimulatedLog(Cluster(Trouble(loop)), Process("tests", "host"))
