"""Sending live traffic to a test server: rate, retries, and what counts as acknowledged."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from domain.errors import LogUnavailableError, UnavailableError
from eventlog.topics import INBOX_TRANSACTIONS, Topic
from local.demo.live.events import LiveEvent, LiveLabel, LiveTransaction
from local.demo.live.figures import Figures
from local.demo.live.http_client import Connection
from local.demo.live.traffic import Schedule, Traffic

Reply = Callable[[str, bytes], tuple[int, bytes]]
FAST = Schedule(seconds=0.1, rate=200)


class Inbox:
    """Fails so often before it takes a record."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.taken: list[bytes] = []

    async def append_bytes(self, topic: Topic, key: str | None, value: bytes) -> object:
        assert topic is INBOX_TRANSACTIONS
        if self.failures:
            self.failures -= 1
            raise LogUnavailableError("away")
        self.taken.append(value)
        return None


@asynccontextmanager
async def serving(reply: Reply) -> Any:
    """An HTTP server; yields its URL and the number of connections made to it so far."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                status, body = reply(head.split(" ")[1], await reader.readexactly(length))
                if status == 0:
                    return
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", connections
    finally:
        server.close()


def approve(_path: str, _body: bytes) -> tuple[int, bytes]:
    return 200, orjson.dumps({"outcome": "approve", "score": 0.1})


def transactions() -> Iterator[LiveEvent]:
    number = 0
    while True:
        body = orjson.dumps({"transaction_id": f"t-{number}"})
        yield LiveTransaction(f"t-{number}", body, fraud=False)
        number += 1


async def drive(
    reply: Reply = approve, inbox: Inbox | None = None, events: Iterator[LiveEvent] | None = None
) -> Figures:
    figures = Figures()
    async with serving(reply) as (url, _):
        traffic = Traffic(url, inbox or Inbox(), figures)
        await traffic.run(events or transactions(), FAST)
    return figures


async def test_half_goes_by_http_and_half_by_kafka() -> None:
    inbox = Inbox()
    figures = await drive(inbox=inbox)
    assert len(figures.sent) == FAST.transactions == 20
    assert len(figures.answers) == len(figures.acked) == len(inbox.taken) == 10
    assert not figures.answers.keys() & figures.acked
    assert len(figures.latencies) == 10
    assert not figures.errors


async def test_traffic_ends_where_its_source_does() -> None:
    figures = await drive(events=iter([next(transactions())]))
    assert list(figures.sent) == ["t-0"]


async def test_an_append_in_doubt_is_repeated_until_it_is_acknowledged() -> None:
    figures = await drive(inbox=Inbox(failures=2))
    assert len(figures.acked) == 10
    assert figures.errors == {"kafka": 2}


@pytest.mark.parametrize(("status", "error"), [(503, "http 503"), (0, "http")])
async def test_a_busy_or_broken_server_is_asked_again_by_the_id(status: int, error: str) -> None:
    refused: list[bytes] = []

    def reply(path: str, body: bytes) -> tuple[int, bytes]:
        if not refused:
            refused.append(body)
            return status, b""
        return approve(path, body)

    figures = await drive(reply)
    assert len(figures.answers) == 10
    assert figures.errors == {error: 1}


async def test_a_refused_transaction_is_counted_and_not_acknowledged() -> None:
    figures = await drive(lambda _path, _body: (422, b"{}"))
    assert not figures.answers
    assert figures.errors == {"http 422": 10}


async def test_labels_go_to_their_own_path_and_are_no_decisions() -> None:
    paths: list[str] = []

    def reply(path: str, body: bytes) -> tuple[int, bytes]:
        paths.append(path)
        return approve(path, body)

    figures = await drive(reply, events=iter([LiveLabel(b"{}"), next(transactions())]))
    assert sorted(paths) == ["/labels", "/score"]
    assert figures.labels == 1
    assert list(figures.answers) == ["t-0"]


async def test_a_connection_is_kept_open_between_requests() -> None:
    async with serving(approve) as (url, connections):
        connection = Connection(url)
        for _ in range(3):
            assert (await connection.post("/score", b"{}"))[0] == 200
        connection.close()
        assert len(connections) == 1


async def test_nobody_there_is_an_unavailable_api() -> None:
    async with serving(lambda _path, _body: (0, b"")) as (url, _):
        connection = Connection(url)
        with pytest.raises(UnavailableError, match="api"):
            await connection.post("/score", b"{}")
