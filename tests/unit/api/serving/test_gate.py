"""The gate lets so many in, keeps some waiting for a while, and tells the others."""

import asyncio

import httpx
import pytest

from api.serving.gate import Gate, OverloadedError
from tests.builders.api_bench import Api, payload


async def test_who_comes_first_goes_first_and_who_finds_no_room_is_told() -> None:
    gate, entered = Gate(at_once=2, most=2, seconds=60.0), list[int]()
    third = asyncio.Event()
    go_on = [asyncio.Event() for _ in range(5)]

    async def request(number: int) -> None:
        async with gate:
            entered.append(number)
            if len(entered) == 3:
                third.set()
            await go_on[number].wait()

    tasks = [asyncio.ensure_future(request(number)) for number in range(5)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert entered == [0, 1]
    assert gate.waiting == 2
    with pytest.raises(OverloadedError, match="retry under the same id"):
        await tasks[4]
    go_on[1].set()
    await tasks[1]
    await asyncio.wait_for(third.wait(), 5)
    assert entered == [0, 1, 2]
    tasks[3].cancel()
    for each in go_on:
        each.set()
    await asyncio.gather(tasks[0], tasks[2])
    await asyncio.wait_for(gate.__aenter__(), 5)
    assert gate.waiting == 0


async def test_nobody_waits_for_longer_than_is_worth_while() -> None:
    gate = Gate(at_once=1, most=1_000, seconds=0.01)
    async with gate:
        with pytest.raises(OverloadedError):
            async with gate:
                raise AssertionError("let in")
    async with gate:
        assert gate.waiting == 0


async def test_an_overload_is_answered_with_when_to_retry(api: Api) -> None:
    gate = api.app.state.deps.gate
    held = [gate.__aenter__() for _ in range(32)]
    await asyncio.gather(*held)
    response: httpx.Response = await api.post("/score", payload("late"))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json()["server"] == "api"
    assert api.context.ledger.known("late") is None
    for _ in held:
        await gate.__aexit__()
    assert (await api.post("/score", payload("late"))).status_code == 200
