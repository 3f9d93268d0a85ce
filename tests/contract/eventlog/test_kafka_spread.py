"""Appends to many partitions at once, against a real server."""

import asyncio
import os
from collections import Counter
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest

from domain.errors import IntegrityError, LogUnavailableError
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.adapters.kafka_admin import MAX_RECORD_BYTES
from eventlog.port import Position
from eventlog.settings import KafkaSettings
from eventlog.topics import ENTITIES
from host.ports import free_ports
from tests.builders.workers.spreading import spread_to

ALL = range(ENTITIES.partitions)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Counter[type]:
    """How many requests of each kind were sent."""
    sent, send = Counter[type](), AIOKafkaClient.send

    async def counted(client: AIOKafkaClient, node: Any, request: Any, **more: Any) -> Any:
        sent[type(request)] += 1
        return await send(client, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", counted)
    return sent


async def test_what_is_there_for_all_partitions_is_one_request(
    kafka: KafkaSettings, requests: Counter[type]
) -> None:
    async with spread_to(kafka) as spread:
        first = [(await spread.append(each, b"first")).offset for each in ALL]
        before = requests[ProduceRequest]
        assert before
        places = await asyncio.gather(*(spread.append(each, b"%d" % each) for each in ALL))
        assert requests[ProduceRequest] == before + 1
    assert places == [Position(ENTITIES.name, each, first[each] + 1) for each in ALL]


async def test_each_record_lies_where_it_is_said_to_and_later_ones_behind(
    kafka: KafkaSettings,
) -> None:
    values = [(n % 3, os.urandom(10 + n)) for n in range(300)]
    async with spread_to(kafka) as spread:
        places = []
        for start in range(0, 300, 100):
            some = [spread.append(*each) for each in values[start : start + 100]]
            places += await asyncio.gather(*some)
    log = KafkaEventLog(kafka)
    stored = {each.position: each.value for each in log.read(ENTITIES)}
    log.close()
    assert [stored[place] for place in places] == [value for _, value in values]
    for partition in range(3):
        earlier, _, later = (
            {each.offset for each in places[start : start + 100] if each.partition == partition}
            for start in range(0, 300, 100)
        )
        assert max(earlier) < min(later)


async def test_the_largest_record_is_taken_and_a_larger_one_refused_by_name(
    kafka: KafkaSettings,
) -> None:
    async with spread_to(kafka) as spread:
        assert (await spread.append(1, os.urandom(MAX_RECORD_BYTES - 1024))).partition == 1
        with pytest.raises(IntegrityError, match=r"retrace\.entities\S* is too large"):
            await spread.append(1, os.urandom(MAX_RECORD_BYTES + 1))


async def test_a_server_that_is_away_is_named_and_tried_again() -> None:
    (port,) = free_ports(1)
    settings = KafkaSettings(f"127.0.0.1:{port}", delivery_timeout=0.5)
    async with spread_to(settings) as spread:
        for _ in range(2):
            with pytest.raises(LogUnavailableError, match=rf"127\.0\.0\.1:{port} did not"):
                await spread.append(0, b"x")
