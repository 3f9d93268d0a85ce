import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from faults.loop.clock import Signal
from faults.loop.process import RUNNING, Process, within
from faults.loop.seeded_loop import SeededLoop, StuckError

NAMES = ("a", "b", "c")


def run(main: Callable[[SeededLoop], Awaitable[Any]], seed: int = 1) -> Any:
    loop = SeededLoop(Random(seed))
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.bury()


async def _interleaved(loop: SeededLoop) -> list[str]:
    """Three processes, each of which does five things one after the other."""
    done: list[str] = []

    async def work(name: str) -> None:
        for number in range(5):
            done.append(f"{name}{number}")
            await asyncio.sleep(0)

    tasks = [within(Process(name, "host"), loop.create_task, work(name)) for name in NAMES]
    await asyncio.gather(*tasks)
    return done


def test_a_seed_gives_one_order_and_seeds_differ() -> None:
    orders = [run(_interleaved, seed) for seed in (1, 1, 2, 3)]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3


def test_within_a_process_the_order_is_that_of_asyncio() -> None:
    for seed in range(20):
        order = run(_interleaved, seed)
        for name in NAMES:
            assert [each for each in order if each[0] == name] == [f"{name}{n}" for n in range(5)]


async def _slept(loop: SeededLoop) -> float:
    await asyncio.sleep(86_400)
    return loop.time()


def test_time_passes_only_when_nothing_can_run() -> None:
    assert run(_slept) == 86_400


async def _killed(loop: SeededLoop) -> list[str]:
    done: list[str] = []
    process = Process("a", "host")

    async def work() -> None:
        try:
            await asyncio.sleep(1)
            done.append("worked on")
        finally:
            done.append("cleaned up")

    task = within(process, loop.create_task, work())
    await asyncio.sleep(0.5)
    loop.kill(process)
    await asyncio.sleep(5)
    assert not task.done()
    return list(done)


def test_nothing_of_a_killed_process_runs_not_even_what_cleans_up() -> None:
    assert run(_killed) == []


async def _paused(loop: SeededLoop) -> list[float]:
    at: list[float] = []
    process = Process("a", "host")

    async def work() -> None:
        await asyncio.sleep(1)
        at.append(loop.time())

    within(process, loop.create_task, work())
    await asyncio.sleep(0.5)
    loop.pause(process)
    loop.call_later(7, loop.resume, process)
    await asyncio.sleep(10)
    return at


def test_a_paused_process_goes_on_where_it_stood() -> None:
    assert run(_paused) == [7.5]


async def _threads(loop: SeededLoop) -> tuple[list[float], Process | None]:
    process = Process("a", "host")
    seen: list[Process | None] = []

    def slow(seconds: float) -> float:
        loop.block(seconds)
        seen.append(RUNNING.get())
        return round(loop.time() - began, 1)

    async def work() -> list[float]:
        return await asyncio.gather(*(asyncio.to_thread(slow, n) for n in (3, 1, 2)))

    began = loop.time()
    found = await within(process, loop.create_task, work())
    assert set(seen) == {process}
    return found, seen[0]


def test_blocking_calls_wait_side_by_side_as_in_threads() -> None:
    assert run(_threads)[0] == [3, 1, 2]


async def _raising(_loop: SeededLoop) -> None:
    def fail() -> None:
        raise ValueError("from a thread")

    with pytest.raises(ValueError, match="from a thread"):
        await asyncio.to_thread(fail)


def test_what_a_thread_raises_is_raised_where_it_is_awaited() -> None:
    run(_raising)


async def _told(loop: SeededLoop) -> list[float]:
    signal, woken = Signal(loop), []

    def blocked() -> None:
        signal.block(10)
        woken.append(loop.time())

    async def waiting() -> None:
        await signal.wait(10)
        woken.append(loop.time())

    tasks = [asyncio.create_task(waiting()), asyncio.create_task(asyncio.to_thread(blocked))]
    loop.call_later(2, signal.tell)
    await asyncio.gather(*tasks)
    await signal.wait(3)
    return [*woken, loop.time()]


def test_a_signal_wakes_coroutines_and_threads_or_their_time_is_up() -> None:
    assert run(_told) == [2, 2, 5]


async def _hastened(loop: SeededLoop) -> list[float]:
    at: list[float] = []
    calls = [loop.call_later(seconds, lambda: at.append(loop.time())) for seconds in (5, 6, 7)]
    calls[1].cancel()
    for _ in range(2):
        for call in calls[:2]:
            loop.hasten(call)
    await asyncio.sleep(10)
    return at


def test_what_is_hastened_runs_once_and_what_is_cancelled_never() -> None:
    assert run(_hastened) == [0, 7]


async def _never(loop: SeededLoop) -> None:
    await loop.create_future()


def test_a_loop_in_which_nothing_can_ever_run_says_so() -> None:
    with pytest.raises(StuckError):
        run(_never)
