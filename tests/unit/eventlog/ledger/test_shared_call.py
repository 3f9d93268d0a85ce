"""Whoever shares a call gets what was asked for after it came."""

import asyncio

import pytest

from eventlog.ledger.shared_call import SharedCall


class Server:
    """Answers with how often it was asked, once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers: list[asyncio.Future[None]] = []

    async def ask(self) -> int:
        self.asked += 1
        number = self.asked
        self.answers.append(asyncio.get_running_loop().create_future())
        await self.answers[-1]
        return number


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_comes_during_a_call_shares_the_next_one() -> None:
    server = Server()
    shared = SharedCall(server.ask)
    first = asyncio.ensure_future(shared())
    await turns()
    others = [asyncio.ensure_future(shared()) for _ in range(3)]
    await turns()
    assert server.asked == 1
    server.answers[0].set_result(None)
    await turns()
    assert await first == 1
    last = asyncio.ensure_future(shared())
    await turns()
    server.answers[1].set_result(None)
    assert await asyncio.gather(*others) == [2, 2, 2]
    await turns()
    server.answers[2].set_result(None)
    assert await last == 3


async def test_one_who_gives_up_and_a_failure_leave_the_next_call_alone() -> None:
    server = Server()
    shared = SharedCall(server.ask)
    given_up, other = (asyncio.ensure_future(shared()) for _ in range(2))
    await turns()
    given_up.cancel()
    server.answers[0].set_exception(ValueError("away"))
    await turns()
    server.answers[1].set_result(None)
    assert await other == 2
    failing = asyncio.ensure_future(shared())
    await turns()
    server.answers[2].set_exception(ValueError("away"))
    with pytest.raises(ValueError, match="away"):
        await failing
