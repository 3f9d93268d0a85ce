"""The local stack goes on after its processes were killed, on real servers."""

import contextlib
import os
import signal
from collections.abc import Callable

import psycopg
import pymongo
import pytest
import redis
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from host.processes import ProcessId, family, wait_until
from local.stack.control import LocalStack
from local.stack.services import SERVERS
from local.stack.status import read_status, recorded_processes
from runtime.settings import Settings, load_settings

pytestmark = pytest.mark.timeout(120)
NAMES = [server.name for server in SERVERS]


def urls(stack: LocalStack) -> Settings:
    return load_settings(state_dir=stack.settings.state_dir)


def running(stack: LocalStack) -> bool:
    return read_status(stack.settings).state == "running"


def everything_alive(stack: LocalStack) -> set[ProcessId]:
    supervisor = read_status(stack.settings).supervisor
    assert supervisor is not None
    leaders = [process for _, process in recorded_processes(stack.settings)]
    return {supervisor, *(member for leader in leaders for member in family(leader))}


def write_one(settings: Settings, value: str) -> None:
    """One record to each server, acknowledged."""
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap_servers, "acks": "all"})
    producer.produce("kept", value.encode())
    assert producer.flush(20) == 0
    redis.Redis.from_url(settings.redis_url).rpush("kept", value)
    with psycopg.connect(settings.database_url.replace("+psycopg", "")) as database:
        database.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        database.execute("INSERT INTO kept VALUES (%s)", (value,))
    with pymongo.MongoClient[dict[str, object]](settings.mongodb_url) as mongodb:
        mongodb.get_default_database().kept.insert_one({"value": value})


def read_all(settings: Settings) -> dict[str, list[str]]:
    with psycopg.connect(settings.database_url.replace("+psycopg", "")) as database:
        rows = database.execute("SELECT value FROM kept").fetchall()
    with pymongo.MongoClient[dict[str, str]](settings.mongodb_url) as mongodb:
        documents = list(mongodb.get_default_database().kept.find())
    kept: list[bytes] = redis.Redis.from_url(settings.redis_url).lrange("kept", 0, -1)  # type: ignore[assignment]
    return {
        "kafka": _records(settings, len(kept)),
        "redis": [value.decode() for value in kept],
        "postgres": [row[0] for row in rows],
        "mongodb": [document["value"] for document in documents],
    }


def _records(settings: Settings, count: int) -> list[str]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "group.id": "reader",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(["kept"])
    try:
        messages = consumer.consume(count, timeout=30)
        return [(message.value() or b"").decode() for message in messages]
    finally:
        consumer.close()


def test_up_twice_is_harmless(stack: LocalStack) -> None:
    before = everything_alive(stack)
    assert stack.up(apps=False).state == "running"
    assert everything_alive(stack) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_server_is_started_again_and_reported(stack: LocalStack, name: str) -> None:
    before = read_status(stack.settings).named(name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    def is_back() -> bool:
        found = read_status(stack.settings).named(name)
        return found.state == "running" and found.pid != before.pid

    assert wait_until(is_back, 60)
    after = read_status(stack.settings).named(name)
    assert (after.restarts, after.url) == (before.restarts + 1, before.url)


def test_data_outlives_kills_and_down(stack: LocalStack) -> None:
    kafka = AdminClient({"bootstrap.servers": urls(stack).kafka_bootstrap_servers})
    kafka.create_topics([NewTopic("kept", 1)])["kept"].result(20)
    write_one(urls(stack), "before the kill")
    _kill_supervisor_and_wait(stack, lambda: stack.up(apps=False))
    assert running(stack)
    write_one(urls(stack), "before down")
    stack.down()
    stack.up(apps=False)
    expected = ["before the kill", "before down"]
    assert read_all(urls(stack)) == dict.fromkeys(NAMES, expected)


def test_servers_do_not_outlive_a_killed_supervisor_for_ever(stack: LocalStack) -> None:
    _kill_supervisor_and_wait(stack, stack.stop_orphans)
    assert read_status(stack.settings).state == "stopped"
    assert not stack.down()


def test_down_leaves_no_process(stack: LocalStack) -> None:
    stack.up(apps=False)
    before = everything_alive(stack)
    assert len(before) > len(NAMES)
    assert stack.down()
    assert not any(process.alive() for process in before)
    assert read_status(stack.settings).state == "stopped"


def test_killing_everything_at_once_is_recovered_from(stack: LocalStack) -> None:
    stack.up(apps=False)
    supervisor = read_status(stack.settings).supervisor
    assert supervisor is not None
    # The supervisor first, or it would start again what is killed.
    for process in (supervisor, *everything_alive(stack)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    stack.up(apps=False)
    assert running(stack)


def _kill_supervisor_and_wait(stack: LocalStack, then: Callable[[], object]) -> None:
    before = everything_alive(stack)
    supervisor = read_status(stack.settings).supervisor
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    assert wait_until(lambda: not supervisor.alive(), 10)
    then()
    assert not any(process.alive() for process in before)
