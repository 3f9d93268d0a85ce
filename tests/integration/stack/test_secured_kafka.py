"""A Kafka that speaks TLS and asks for a password: every client of ours gets in, and no other."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import LogUnavailableError
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.adapters.kafka_admin import ensure_topics
from eventlog.batch import Batch
from eventlog.settings import KafkaSecurity, KafkaSettings
from eventlog.topics import TRANSACTIONS
from projections.faust.app import build_membership
from projections.faust.settings import WorkerSettings
from tests.builders.workers.spreading import spread_to
from tests.fakes.events import submitted

pytest_plugins = ["tests.fixtures.secured_kafka"]


@pytest.fixture(params=["PLAIN", "SCRAM-SHA-512"])
def kafka(secured_kafka: KafkaSettings, request: pytest.FixtureRequest) -> KafkaSettings:
    return replace(secured_kafka, security=replace(secured_kafka.security, mechanism=request.param))


async def test_what_is_appended_over_tls_reaches_a_worker(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    ensure_topics(kafka)
    log = KafkaEventLog(kafka)
    place = await log.append(TRANSACTIONS, "t-1", submitted("t-1"))
    assert [each.position for each in log.read(TRANSACTIONS)][-1] == place
    async with spread_to(kafka) as spread:
        assert (await spread.append(5, b"x")).partition == 5
    got: asyncio.Queue[Batch] = asyncio.Queue()
    assigned = asyncio.Event()
    member = build_membership("reader", WorkerSettings(kafka, tmp_path, fetch_wait_ms=20))

    async def consumed(batches: Sequence[Batch]) -> None:
        for each in batches:
            got.put_nowait(each)

    member.bind([TRANSACTIONS.name], lambda _: assigned.set(), consumed)
    await member.start()
    try:
        await asyncio.wait_for(assigned.wait(), 30)
        await member.seek({(TRANSACTIONS.name, place.partition): place.offset})
        batch = await asyncio.wait_for(got.get(), 30)
        assert (batch.partition, batch.records[0][0]) == (place.partition, place.offset)
    finally:
        await member.stop()
        log.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "another"}, "Authentication failed"),
        ({"ca_file": ""}, "certificate verify failed"),
        ({"protocol": "PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL"),
    ],
)
def test_who_is_not_known_is_told_why(
    secured_kafka: KafkaSettings, wrong: dict[str, str], said: str
) -> None:
    security: KafkaSecurity = replace(secured_kafka.security, **wrong)  # type: ignore[arg-type]
    with pytest.raises(LogUnavailableError, match=said):
        ensure_topics(replace(secured_kafka, security=security, request_timeout=3.0))
