"""GET /decisions/stream, read as it is sent: resuming, filtering, ending."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import Message, Scope

from api.live import DecisionHub, event_id
from domain.events import Envelope
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from tests.builders.api_bench import Api, payload, running
from tests.fakes.events import scored, submitted


class Stream:
    """A client of the stream; `next` is its next event as a dict of the fields."""

    def __init__(self) -> None:
        self.status = 0
        self.content_type = ""
        self.over = asyncio.Event()
        self._left = asyncio.Event()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._text = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.content_type = dict(message["headers"])[b"content-type"].decode()
        elif body := message.get("body"):
            self._chunks.put_nowait(body)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.over.set()

    async def receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    def leave(self) -> None:
        self._left.set()

    async def next(self) -> dict[str, str]:
        while b"\n\n" not in self._text:
            self._text += await asyncio.wait_for(self._chunks.get(), 10)
        first, self._text = self._text.split(b"\n\n", 1)
        return dict(line.split(": ", 1) for line in first.decode().splitlines())


@asynccontextmanager
async def listening(api: Api, last: str | None = None, query: str = "") -> AsyncIterator[Stream]:
    stream = Stream()
    headers = [(b"last-event-id", last.encode())] if last else []
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": "/decisions/stream", "root_path": "",
        "raw_path": b"/decisions/stream", "query_string": query.encode(), "headers": headers,
        "client": ("test", 1), "server": ("retrace", 80), "state": {},
    }  # fmt: skip
    task = asyncio.create_task(api.app(scope, stream.receive, stream.send))
    try:
        yield stream
    finally:
        stream.leave()
        task.cancel()
        await asyncio.wait({task})


async def decided(api: Api, *ids: str, **more: Any) -> list[str]:
    """Event ids of the decisions of new transactions."""
    found = []
    for transaction_id in ids:
        assert (await api.post("/score", payload(transaction_id, **more))).status_code == 200
        known = api.context.ledger.known(transaction_id)
        assert known is not None
        assert known.scored_offset is not None
        decision = await api.context.ledger.decision(transaction_id, known)
        place = Position(TRANSACTIONS.name, known.partition, known.scored_offset)
        found.append(event_id((place, decision)))
    return found


async def test_a_client_that_reconnects_gets_what_it_missed_and_then_what_is_new() -> None:
    async with running(InMemoryEventLog()) as api:
        ids = await decided(api, "a", "b", "c")
        async with listening(api, last=ids[0]) as stream:
            missed = [await stream.next(), await stream.next()]
            assert [each["id"] for each in missed] == ids[1:]
            assert [json.loads(each["data"])["transaction_id"] for each in missed] == ["b", "c"]
            assert (stream.status, missed[0]["event"]) == (200, "decision")
            assert stream.content_type.startswith("text/event-stream")
            ids += await decided(api, "d")
            assert (await stream.next())["id"] == ids[3]


async def test_only_the_outcomes_that_were_asked_for_are_sent() -> None:
    log = InMemoryEventLog()
    async with running(log) as api:
        first = (await decided(api, "a", "b"))[0]
        position = await log.append(TRANSACTIONS, "r", submitted("r"))
        position = await log.append(TRANSACTIONS, "r", scored("r", outcome="review"))
        await api.context.ledger.passed(position.partition, position.offset)
        async with listening(api, last=first, query="outcome=review") as stream:
            got = json.loads((await stream.next())["data"])
            assert (got["transaction_id"], got["outcome"]) == ("r", "review")


async def test_the_stream_ends_when_the_server_stops() -> None:
    async with running(InMemoryEventLog()) as api:
        ids = await decided(api, "a", "b")
        async with listening(api, last=ids[0]) as stream:
            await stream.next()
            api.hub.close()
            await asyncio.wait_for(stream.over.wait(), 10)


def live(offset: int) -> tuple[Position, Envelope]:
    return Position(TRANSACTIONS.name, 0, offset), scored(f"t-{offset}")


async def test_a_client_that_does_not_keep_up_is_disconnected_and_others_are_not() -> None:
    hub = DecisionHub(asyncio.get_running_loop())
    hub.publish(*live(0))
    hub.publish(*live(1))
    await settled()
    first = event_id(live(0))
    slow, quick = hub.follow(first), hub.follow(first)
    assert await anext(slow) == await anext(quick)
    got = 0
    for offset in range(2, 1_502):
        hub.publish(*live(offset))
        await settled()
        assert await anext(quick) is not None
    async for each in slow:
        assert each is not None
        got += 1
    assert got == 1_000


async def test_a_stream_with_an_id_that_is_no_longer_kept_starts_with_what_is_new() -> None:
    hub = DecisionHub(asyncio.get_running_loop())
    hub.publish(*live(0))
    hub.publish(Position(TRANSACTIONS.name, 0, 1), submitted())
    await settled()
    stream = hub.follow("7-7")
    following = asyncio.ensure_future(anext(stream))
    await settled()
    hub.publish(*live(2))
    assert await asyncio.wait_for(following, 10) == live(2)


async def test_what_another_thread_publishes_is_streamed() -> None:
    hub = DecisionHub(asyncio.get_running_loop())
    hub.publish(*live(0))
    stream = hub.follow("0-0")
    following = asyncio.ensure_future(anext(stream))
    await settled()
    await asyncio.to_thread(hub.publish, *live(1))
    assert await asyncio.wait_for(following, 10) == live(1)


async def settled() -> None:
    """What was handed to the loop before this call has run."""
    done = asyncio.Event()
    asyncio.get_running_loop().call_soon(done.set)
    await done.wait()
