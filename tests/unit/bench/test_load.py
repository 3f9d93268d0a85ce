"""The open loop: requests do not wait for answers, and are timed from when each was due."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from random import Random
from typing import Any

import pytest

from bench.live import load
from bench.live.load import Generator, Offered, due_times, spread

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"path":"full"}'
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers what it is told, after `pause` seconds; `most` requests were open at once."""

    def __init__(self, answer: bytes = ANSWER, pause: float = 0.0) -> None:
        self.answer, self.pause = answer, pause
        self.connections = self.requests = self.open = self.most = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with closing(writer):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
                self.open += 1
                self.requests += 1
                self.most = max(self.most, self.open)
                await asyncio.sleep(self.pause)
                self.open -= 1
                writer.write(self.answer)


@asynccontextmanager
async def served(server: Server) -> Any:
    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await server(reader, writer)
        except (EOFError, ConnectionError):
            return

    listening = await asyncio.start_server(quietly, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


def bodies() -> Iterator[bytes]:
    return iter(lambda: b"{}", None)


async def offered(server: Server, rate: float, seconds: float = 0.5) -> Offered:
    async with served(server) as url:
        with closing(Generator([url], "/", bodies(), lambda answer: [answer["path"]])) as generator:
            return await generator.offer(rate, seconds, Random(1))


def test_as_many_requests_are_due_as_the_rate_says_and_the_seed_repeats_them() -> None:
    due = list(due_times(100.0, 50.0, Random(1)))
    assert due == sorted(due)
    assert 4_700 < len(due) < 5_300
    assert due == list(due_times(100.0, 50.0, Random(1)))


async def test_every_request_is_answered_and_told_of() -> None:
    found = await offered(Server(), 100.0)
    assert len(found.milliseconds) == found.requests > 20
    assert found.told == {"full": found.requests}
    assert not found.failed
    assert found.processor > 0


async def test_a_slow_server_gets_no_fewer_requests() -> None:
    slow, quick = Server(pause=0.3), Server()
    late, fine = await offered(slow, 100.0), await offered(quick, 100.0)
    assert late.requests == fine.requests
    assert slow.most > 10
    assert min(late.milliseconds) >= 300
    assert quick.connections < slow.connections


async def test_what_is_refused_is_counted_and_not_timed() -> None:
    found = await offered(Server(BUSY), 50.0)
    assert found.failed == {"http 503": found.requests}
    assert (found.milliseconds, found.facts()["milliseconds"]) == ([], {})


async def test_what_exceeds_the_most_that_may_wait_is_counted_as_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "_MOST_OPEN", 5)
    found = await offered(Server(pause=1.0), 100.0)
    assert found.failed["more than 5 open"] == found.requests - 5


async def test_a_load_that_is_over_sends_no_more_and_is_of_the_time_it_took() -> None:
    server, left = Server(), iter([False] * 10 + [True])
    async with served(server) as url:
        with closing(Generator([url], "/", bodies())) as generator:
            found = await generator.offer(100.0, 30.0, Random(1), lambda: next(left))
    assert found.requests == len(found.milliseconds) == 10
    assert 0 < found.seconds < 5


async def test_several_servers_get_requests_in_turn() -> None:
    one, two = Server(), Server()
    async with served(one) as first, served(two) as second:
        with closing(Generator([first, second], "/", bodies())) as generator:
            found = await generator.offer(100.0, 0.5, Random(1))
    assert len(found.milliseconds) == found.requests
    assert one.requests + two.requests == found.requests
    assert abs(one.requests - two.requests) <= 1


def test_percentiles_are_exact() -> None:
    assert spread([]) == {}
    found = spread([float(n) for n in range(1001)])
    assert (found["p50"], found["p99"], found["p999"], found["max"]) == (500, 990, 999, 1000)
