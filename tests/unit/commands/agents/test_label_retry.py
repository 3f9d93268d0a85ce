"""Label retry: early labels are recorded once their transaction is known, in their order, once."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from commands import Context, SubmitTransaction, label_transaction, submit_transaction
from commands.agents.label_retry import GIVE_UP_US, LabelRetry
from commands.agents.parked_labels import ParkedLabels
from commands.labels.label import READER, LabelTransaction, parse_label
from commands.labels.retry import keep_early_label, open_early_label, record_early_label
from domain.errors import ConflictError, LogUnavailableError
from domain.events import TransactionLabelled
from domain.times import DAY
from eventlog.codec import decode
from eventlog.dead_letters import DeadRecord, dead_letter
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import DEAD_LETTERS, TRANSACTIONS
from tests.builders.workers.pieces import batch, batches_of
from tests.fakes.deciding import NOW, deciding_process, payload

KEY = b"k" * 32


class Clock:
    """Goes on by a microsecond at each look."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        self.now += 1
        return self.now


class Bench:
    """One process that decides, and the agent in it."""

    def __init__(self, context: Context, clock: Clock, path: Path | None = None) -> None:
        self.context, self.clock = context, clock
        self.parked = ParkedLabels(path)
        self.failures: list[Exception] = []
        self.tried: list[str] = []
        record = record_early_label(context)

        async def recorded(command: LabelTransaction, letter_id: str) -> bool:
            self.tried.append(command.transaction_id)
            if self.failures:
                raise self.failures.pop(0)
            return await record(command, letter_id)

        self.agent = LabelRetry(
            READER, self.parked, open_early_label(KEY), recorded, context.ledger, clock
        )

    async def keep(self, name: str, **label: object) -> None:
        keep = keep_early_label(KEY, self.context)
        await keep(json.dumps({"transaction_id": name, **label}).encode(), "unknown")

    async def submit(self, name: str) -> None:
        submission = SubmitTransaction(payload=payload(name), raw=None, mode="submit")
        await submit_transaction(submission, self.context)

    async def take(self, partitions: frozenset[int] = frozenset({0})) -> int:
        """Assigned, and given what it asks for; the number of letters that it read."""
        starts, taken = await self.agent.assign(set(partitions)), 0
        for each in batches_of(self.log, DEAD_LETTERS):
            kept = each.since(starts[each.partition])
            taken += len(kept.records)
            if kept.records:
                await self.agent.handle([kept])
        return taken

    @property
    def log(self) -> InMemoryEventLog:
        assert isinstance(self.context.log, InMemoryEventLog)
        return self.context.log

    def recorded(self) -> list[tuple[str, str]]:
        facts = [decode(each.value).data for each in self.log.read(TRANSACTIONS)]
        return [(f.transaction_id, f.kind) for f in facts if isinstance(f, TransactionLabelled)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.agent.retry_due())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():  # noqa: ASYNC110 (the ledger's thread rings no bell for a test)
                await asyncio.sleep(0.005)


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = Clock()
    with deciding_process(InMemoryEventLog(), clock=clock) as context:
        made = Bench(context, clock)
        yield made
        made.parked.close()


def left(bench: Bench) -> list[str]:
    return bench.parked.after("", 1000)


async def test_a_label_is_recorded_as_soon_as_its_transaction_comes(bench: Bench) -> None:
    await bench.keep("t-1", kind="chargeback")
    await bench.keep("t-2")
    async with bench.running():
        await bench.take()
        await bench.until(lambda: bench.parked.due(bench.clock.now, 9) == [])
        # Long before they are due again: the clock stands still, nearly.
        bench.parked.put_off("t-1", NOW + DAY)
        await bench.submit("t-1")
        await bench.until(lambda: left(bench) == ["t-2"])
    assert bench.recorded() == [("t-1", "chargeback")]


async def test_a_transaction_that_came_before_the_letter_was_read_is_found(bench: Bench) -> None:
    await bench.keep("t-1")
    await bench.submit("t-1")
    await bench.take()
    async with bench.running():
        await bench.until(lambda: left(bench) == [])
    assert bench.recorded() == [("t-1", "fraud_report")]


async def test_report_reversal_report_before_their_transaction_are_three_labels(
    bench: Bench,
) -> None:
    for kind in ("fraud_report", "fraud_report", "reversal", "fraud_report"):
        await bench.keep("t-1", kind=kind)
    await bench.submit("t-1")
    await bench.take()
    async with bench.running():
        await bench.until(lambda: left(bench) == [])
    three = [("t-1", kind) for kind in ("fraud_report", "reversal", "fraud_report")]
    assert bench.recorded() == three
    # The file is lost: all letters are read again, and nothing is recorded twice.
    again = Bench(bench.context, bench.clock)
    assert await again.take() == 4
    async with again.running():
        await again.until(lambda: left(again) == [])
    assert (len(again.tried), bench.recorded()) == (4, three)


async def test_after_a_restart_what_came_meanwhile_is_found_and_no_letter_is_read_again(
    tmp_path: Path,
) -> None:
    log, clock, path = InMemoryEventLog(), Clock(), tmp_path / "parked.sqlite"
    with deciding_process(log, clock=clock) as context:
        before = Bench(context, clock, path)
        for number in range(500):
            await before.keep(f"t-{number}")
        assert await before.take() == 500
        for number in range(500):
            before.parked.put_off(f"t-{number}", clock())
        before.parked.save()
        before.parked.close()
        await before.submit("t-499")
        after = Bench(context, clock, path)
        assert await after.take() == 0
        async with after.running():
            await after.until(lambda: len(left(after)) == 499)
        assert (after.recorded(), after.tried) == ([("t-499", "fraud_report")], ["t-499"])
        after.parked.close()


@pytest.mark.parametrize(
    ("error", "tried"),
    [(LogUnavailableError("away"), ["t-1", "t-1", "t-1"]), (ConflictError("t", "no"), ["t-1"] * 3)],
)
async def test_what_fails_is_tried_again_and_holds_no_other_transaction_up(
    bench: Bench, error: Exception, tried: list[str]
) -> None:
    bench.failures = [error]
    for kind in ("fraud_report", "reversal"):
        await bench.keep("t-1", kind=kind)
    await bench.keep("t-2")
    for name in ("t-1", "t-2"):
        await bench.submit(name)
    await bench.take()
    async with bench.running():
        await bench.until(lambda: left(bench) == ["t-1"])
        bench.clock.now += DAY
        await bench.take()
        await bench.until(lambda: left(bench) == [])
    assert bench.tried.count("t-2") == 1
    assert [name for name in bench.tried if name == "t-1"] == tried
    kinds = [kind for name, kind in bench.recorded() if name == "t-1"]
    in_order = ["fraud_report", "reversal"]
    assert kinds == (in_order if isinstance(error, LogUnavailableError) else in_order[::-1])


async def test_while_nothing_happens_nothing_is_done(bench: Bench) -> None:
    for number in range(50):
        await bench.keep(f"t-{number}")
    async with bench.running():
        await bench.take()
        await bench.until(lambda: bench.parked.due(bench.clock.now, 99) == [])
        # What is under way ends; from then on nobody looks at the clock any more.
        async with asyncio.timeout(20):
            looks = -1
            while looks != bench.clock.now:
                looks = bench.clock.now
                for _ in range(100):
                    await asyncio.sleep(0)
    assert bench.tried == []


async def test_a_label_whose_transaction_never_comes_is_given_up_and_named(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.keep("nobody")
    async with bench.running():
        await bench.take()
        await bench.until(lambda: bench.parked.due(bench.clock.now, 9) == [])
        bench.clock.now += GIVE_UP_US
        await bench.keep("later")
        with caplog.at_level(logging.ERROR):
            await bench.take()
            await bench.until(lambda: left(bench) == ["later"])
    assert "transaction nobody is given up after 90 days" in caplog.text


async def test_a_flood_of_arrivals_is_bounded_and_loses_none(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.agents.label_retry._MOST_ARRIVED", 3)
    names = [f"t-{number}" for number in range(20)]
    for name in names:
        await bench.keep(name)
    await bench.take()
    for name in names:
        bench.parked.put_off(name, NOW + DAY)
    async with bench.running():
        await bench.until(lambda: bench.agent._looked is None)
        await asyncio.gather(*(bench.submit(name) for name in names))
        await bench.until(lambda: left(bench) == [])
    assert sorted(bench.recorded()) == sorted((name, "fraud_report") for name in names)


async def test_letters_of_others_and_what_cannot_be_read_are_passed_over(bench: Bench) -> None:
    await bench.keep("t-1")
    record = DeadRecord(
        reader="ingress", origin="x", partition=0, offset=1, reason="r", original=b"x"
    )
    await dead_letter(bench.log, record, KEY, bench.clock)
    await dead_letter(bench.log, record, b"other", bench.clock)
    await bench.take()
    await bench.agent.handle([batch([b"garbage", None], first=3, topic=DEAD_LETTERS)])
    assert left(bench) == ["t-1"]
    assert bench.parked.starts({0}) == {0: 5}


async def test_a_partition_that_left_is_tried_by_another(bench: Bench) -> None:
    await bench.keep("t-1")
    await bench.take()
    await bench.agent.revoke({0})
    assert await bench.agent.assign(set()) == {}
    assert left(bench) == []


async def test_a_label_of_another_road_is_no_label_of_the_letter(bench: Bench) -> None:
    """Said directly once the transaction was there: the letter says it again."""
    await bench.keep("t-1")
    await bench.submit("t-1")
    await label_transaction(parse_label({"transaction_id": "t-1"}), bench.context)
    await bench.take()
    async with bench.running():
        await bench.until(lambda: left(bench) == [])
    assert bench.recorded() == [("t-1", "fraud_report")]
