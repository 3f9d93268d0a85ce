"""Two API processes that share the partitions: whichever is asked, the owner answers."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from eventlog.in_memory import InMemoryEventLog
from eventlog.ownership import ownership
from eventlog.topics import TRANSACTIONS
from host.processes import wait_until
from tests.builders.api_bench import Api, payload, running
from tests.fakes.members import InMemoryGroup

IDS = [f"t-{n}" for n in range(24)]
Events = list[dict[str, str]]


class Served:
    """An API that listens on a port; `client` asks it there."""

    def __init__(self, api: Api, url: str, server: uvicorn.Server) -> None:
        self.api, self.url, self.server = api, url, server
        self.client = httpx.AsyncClient(base_url=url, timeout=20.0)


@asynccontextmanager
async def served(log: InMemoryEventLog, group: InMemoryGroup) -> AsyncIterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with running(log, group=group, url=url) as api:
            server = uvicorn.Server(uvicorn.Config(api.app, lifespan="off", log_level="error"))
            serving = asyncio.create_task(server.serve([listener]))
            one = Served(api, url, server)
            assert await asyncio.to_thread(wait_until, lambda: server.started, 10.0)
            try:
                yield one
            finally:
                await one.client.aclose()
                api.hub.close()
                server.should_exit = True
                await serving


@asynccontextmanager
async def two() -> AsyncIterator[tuple[InMemoryEventLog, Served, Served]]:
    log, group = InMemoryEventLog(), InMemoryGroup()
    async with served(log, group) as first, served(log, group) as second:
        async with asyncio.timeout(10):
            for each in (first, second):
                await each.api.ownership.settled()
        yield log, first, second


async def test_either_gives_the_one_decision_and_each_reads_its_own_ids_alone() -> None:
    async with two() as (log, first, second):
        owned = [each.api.ownership.serving() for each in (first, second)]
        assert len(owned[0] | owned[1]) == TRANSACTIONS.partitions
        for number, name in enumerate(IDS):
            asked, other = (first, second)[:: 1 if number % 2 else -1]
            decided = await asked.client.post("/score", json=payload(name))
            again = await other.client.post("/score", json=payload(name))
            assert (decided.status_code, again.content) == (200, decided.content)
            owner = 0 if log.partition_of(TRANSACTIONS, name) in owned[0] else 1
            known = (first, second)[owner].api.context.ledger.known(name)
            assert known is not None
            assert known.scored_offset is not None
        altered = [
            (await each.client.post("/score", json=payload(IDS[0], amount=1))).status_code
            for each in (first, second)
        ]
        assert altered == [409, 409]
        assert sum(1 for _ in log.read(TRANSACTIONS)) == 2 * len(IDS)


async def test_either_takes_submissions_labels_and_questions() -> None:
    async with two() as (_, first, second):
        for name in IDS[:8]:
            taken = await first.client.post("/transactions", json=payload(name))
            assert (taken.status_code, taken.headers["location"]) == (202, f"/transactions/{name}")
            for each in (first, second):
                found = (await each.client.get(f"/transactions/{name}?raw=1")).json()
                assert (found["status"], found["transaction_id"]) == ("submitted", name)
                assert found["raw"] is not None
            label = {"transaction_id": name, "reporter": "bank", "reference": "r"}
            statuses = [
                (await each.client.post("/labels", json=label)).status_code
                for each in (first, second)
            ]
            assert statuses == [201, 200]
            assert (await second.client.get(f"/decisions/{name}")).status_code == 404
        lines = "\n".join(json.dumps(payload(f"b-{name}")) for name in IDS)
        batch = await first.client.post("/transactions/batch", content=lines)
        results = [json.loads(line) for line in batch.text.splitlines()]
        assert {(each["status"], each["recorded"]) for each in results} == {(202, False)}
        wrong = json.dumps(payload(IDS[0], amount=1)) + "\n" + json.dumps(payload(IDS[1], amount=1))
        batch = await first.client.post("/transactions/batch", content=wrong)
        results = [json.loads(line) for line in batch.text.splitlines()]
        assert [(each["status"], each["problem"]["status"]) for each in results] == [(409, 409)] * 2


async def events(of: Served, enough: Callable[[Events], bool], last: str | None = None) -> Events:
    """The next events of a stream."""
    found: Events = []
    fields: dict[str, str] = {}
    headers = {"Last-Event-ID": last} if last else {}
    async with (
        asyncio.timeout(20),
        of.client.stream("GET", "/decisions/stream", headers=headers) as stream,
    ):
        async for line in stream.aiter_lines():
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                found.append(fields)
                if enough(found):
                    return found
                fields = {}
    return found


async def test_the_stream_of_either_has_the_decisions_of_both() -> None:
    async with two() as (_, first, second):
        decided = await first.client.post("/score", json=payload("before"))
        assert decided.status_code == 200
        following = [
            asyncio.create_task(events(each, lambda found: len(found) == len(IDS)))
            for each in (first, second)
        ]
        hubs = [each.api.hub for each in (first, second)]
        # Each listens to itself and to the other one.
        assert await asyncio.to_thread(
            wait_until, lambda: [len(hub._queues) for hub in hubs] == [2, 2], 10.0
        )
        for name in IDS:
            await second.client.post("/score", json=payload(name))
        for each in following:
            streamed = [json.loads(event["data"])["transaction_id"] for event in await each]
            assert sorted(streamed) == sorted(IDS)
        seen = await following[0]
        rest = {each["id"] for each in seen[1:]}
        # Of the other process what was decided about then comes twice: here, all of it.
        missed = await events(
            second, lambda found: rest <= {each["id"] for each in found}, last=seen[0]["id"]
        )
        assert seen[0]["id"] not in {each["id"] for each in missed}


async def test_an_owner_that_is_away_is_waited_for_and_then_the_answer_is_503(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ownership, "_PATIENCE_SECONDS", 0.3)
    async with two() as (log, first, second):
        mine = first.api.ownership.serving()
        ours = next(name for name in IDS if log.partition_of(TRANSACTIONS, name) in mine)
        theirs = next(name for name in IDS if log.partition_of(TRANSACTIONS, name) not in mine)
        for listener in second.server.servers:
            listener.close()
        second.server.servers.clear()
        assert (await first.client.post("/score", json=payload(ours))).status_code == 200
        answer = await first.client.post("/score", json=payload(theirs))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "retry under the same id" in answer.json()["detail"]
        forwarded = {"Retrace-Forwarded": "1"}
        answer = await first.client.post("/score", json=payload(theirs), headers=forwarded)
        assert answer.status_code == 421
