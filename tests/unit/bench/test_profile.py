"""The profile: each step's own time, and a product that has nothing of it once it has ended."""

import asyncio

import pytest

from bench.live.load import Offered
from bench.live.profile.clock import Record, StepClock, Times
from bench.live.profile.run import found_in, recorded, tabled
from bench.live.profile.serving import dumped
from bench.live.profile.steps import ROOT, STEPS, install, places
from eventlog.in_memory import InMemoryEventLog
from tests.builders.api_bench import payload, running

_STEP = 1_000_000  # nanoseconds


class Ticks:
    """Both clocks: time goes on only by `work` (processor too) and by `pause`."""

    def __init__(self) -> None:
        self.wall = self.processor = 0

    def monotonic_ns(self) -> int:
        return self.wall

    def thread_time_ns(self) -> int:
        return self.processor

    def work(self, steps: int) -> None:
        self.wall += steps * _STEP
        self.processor += steps * _STEP

    async def pause(self, steps: int) -> None:
        await asyncio.sleep(0)
        self.wall += steps * _STEP


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    made = Ticks()
    monkeypatch.setattr("bench.live.profile.clock.time", made)
    return made


def of(record: Record) -> dict[str, tuple[int, int]]:
    return {n: (t.wall // _STEP, t.processor // _STEP) for n, t in record.steps.items()}


async def test_a_step_has_its_own_time_and_not_that_of_steps_within_it(ticks: Ticks) -> None:
    clock = StepClock()
    leaf = clock.called("leaf", lambda: ticks.work(5))

    async def middle() -> int:
        ticks.work(1)
        await ticks.pause(10)
        leaf()
        ticks.work(2)
        return 7

    inner = clock.awaited("middle", middle)

    async def outer() -> int:
        ticks.work(3)
        found: int = await inner()
        leaf()
        await ticks.pause(20)
        return found

    assert await clock.root(ROOT, outer)() == 7
    assert of(clock.records[0]) == {"leaf": (10, 10), "middle": (13, 3), ROOT: (23, 3)}


async def test_what_others_work_while_a_request_waits_is_not_its_processor_time(
    ticks: Ticks,
) -> None:
    clock = StepClock()

    async def each(steps: int) -> None:
        await asyncio.sleep(0)
        ticks.work(steps)
        await asyncio.sleep(0)

    step = clock.awaited("step", each)
    request = clock.root(ROOT, lambda steps: step(steps))
    await asyncio.gather(request(3), request(40))
    assert sorted(record.steps["step"].processor // _STEP for record in clock.records) == [3, 40]
    assert all(record.steps["step"].wall == 43 * _STEP for record in clock.records)


async def test_a_failure_goes_on_and_its_time_is_kept(ticks: Ticks) -> None:
    clock = StepClock()

    async def late() -> None:
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(60)
        finally:
            ticks.work(2)

    with pytest.raises(TimeoutError):
        await clock.root(ROOT, clock.awaited("late", late))()
    assert of(clock.records[0])["late"] == (2, 2)


async def test_nothing_is_measured_outside_a_request(ticks: Ticks) -> None:
    clock = StepClock()
    clock.called("step", lambda: ticks.work(1))()
    await clock.awaited("step", lambda: ticks.pause(1))()
    assert clock.records == []


def test_the_product_is_as_before_once_the_profile_has_ended() -> None:
    before = [getattr(owner, name) for owner, name in places()]
    end = install(StepClock())
    during = [getattr(owner, name) for owner, name in places()]
    end()
    assert [getattr(owner, name) for owner, name in places()] == before
    assert not set(map(id, during)) & set(map(id, before))


async def test_a_request_is_measured_in_every_step_that_needs_no_server() -> None:
    clock = StepClock()
    end = install(clock)
    try:
        async with running(InMemoryEventLog()) as api:
            response = await api.post("/score", payload())
    finally:
        end()
    assert response.status_code == 200
    (record,) = clock.records
    # Redis, LiteRT and Kafka are not here; their steps are wrapped where they are.
    elsewhere = {"states", "finish", "recents", "model", "reasons", "encode"}
    assert record.steps.keys() == STEPS.keys() - elsewhere
    assert all(times.processor > 0 for times in record.steps.values())


def test_only_the_load_is_in_the_table_and_the_warm_up_in_what_comes_beside() -> None:
    clock = StepClock()
    for second, wall in ((1, 900_000), (11, 10_000), (12, 30_000), (99, 5)):
        clock.records.append(Record(second * 10**9, {"parse": Times(wall, 2_000)}))
    records = recorded(dumped(clock))
    assert records == clock.records
    load = Offered(10.0, 2)
    load.warmed, load.began, load.ended = 0.5, 10.0, 20.0
    found = found_in(records, load, spent=36e-6)
    assert found["requests"] == 2
    assert found["steps"]["parse"]["wall_us"]["p50"] == 20.0
    assert found["steps"]["all"]["cpu_us"]["mean"] == 2.0
    # 36 us of three requests, of which 6 are in steps.
    assert found["beside_us_each"] == 10.0


def test_steps_come_in_the_order_of_the_route_and_all_is_their_sum() -> None:
    found = tabled([Record(0, {"clean": Times(1_000, 500), ROOT: Times(3_000, 1_500)})])
    assert [*found] == [*STEPS, "all"]
    assert found["all"]["wall_us"]["p50"] == 4.0
    assert found["model"]["cpu_us"]["p99"] == 0.0
