"""Topics that every member reads whole, beside those of which its group gives it a part."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from domain.errors import IntegrityError
from eventlog.batch import Batch
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import INBOX_TRANSACTIONS, TRANSACTIONS
from projections.broadcast import reader
from projections.broadcast.membership import BroadcastMembership
from projections.faust.worker import Worker
from tests.builders.workers.pieces import Handler, batch
from tests.fakes.membership import InMemoryMembership

INBOX = INBOX_TRANSACTIONS.name


class Whole(Handler):
    """Begins where `starts` says, 0 where it says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: dict[int, int] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        return {p: self.starts.get(p, 0) for p in partitions}

    async def handle(self, batches: Sequence[Batch]) -> None:
        await super().handle(batches)
        for each in batches:
            self.starts[each.partition] = each.next

    def offsets(self, partition: int) -> list[int]:
        return [at for p, taken in self.got for at in taken if p == partition]


class Bench:
    """A worker that has partition 0 of TRANSACTIONS, and all of the inbox."""

    def __init__(self) -> None:
        self.log, self.shared, self.whole = InMemoryEventLog(), Handler(), Whole()
        self.group = InMemoryMembership({(TRANSACTIONS.name, 0)})
        self.membership = BroadcastMembership(self.group, self.log, [INBOX_TRANSACTIONS])
        handlers = {TRANSACTIONS: self.shared, INBOX_TRANSACTIONS: self.whole}
        self.worker = Worker("bench", self.membership, handlers, first_pause=0.0)

    async def write(self, partition: int, *values: bytes) -> None:
        for value in values:
            await self.log.append_bytes(INBOX_TRANSACTIONS, None, value, partition)

    async def until_read(self, partition: int, end: int) -> None:
        async with asyncio.timeout(10):
            while self.worker.positions.get((INBOX, partition), 0) < end:  # noqa: ASYNC110
                await asyncio.sleep(0.002)


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    bench = Bench()
    task = asyncio.create_task(bench.worker.run())
    yield bench
    bench.worker.stop()
    with suppress(IntegrityError):
        await task


@pytest.fixture(autouse=True)
def _short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_POLL_SECONDS", 0.02)


async def test_all_partitions_of_it_are_read_and_of_the_group_what_it_gave() -> None:
    async with running() as bench:
        await bench.write(1, b"a", b"b")
        await bench.write(3, b"c")
        await bench.until_read(1, 2)
        await bench.until_read(3, 1)
        await bench.group.feed(batch([b"x"]))
        assert bench.group.topics == [TRANSACTIONS.name]
        assert bench.group.sought == [{(TRANSACTIONS.name, 0): 0}]
        assert (bench.whole.offsets(1), bench.whole.offsets(3)) == ([0, 1], [0])
        assert bench.shared.got == [(0, [0])]


async def test_an_assignment_of_the_group_has_it_read_from_where_its_handler_says_now() -> None:
    async with running() as bench:
        await bench.write(1, b"a", b"b", b"c")
        await bench.until_read(1, 3)
        bench.whole.starts[1] = 1
        bench.group.assign({(TRANSACTIONS.name, 0), (TRANSACTIONS.name, 1)})
        await asyncio.wait_for(bench.worker.ready(), 10)
        await bench.write(1, b"d")
        await bench.until_read(1, 4)
        assert bench.whole.offsets(1) == [0, 1, 2, 1, 2, 3]


async def test_its_lag_is_known_and_ends_where_nothing_comes_any_more() -> None:
    async with running() as bench:
        places = [(INBOX, p) for p in range(4)] + [(TRANSACTIONS.name, 0)]
        await bench.write(2, b"a")
        await bench.until_read(2, 1)
        assert (await bench.membership.ends(places))[INBOX, 2] == 1
        whole = bench.membership._whole[INBOX]
        whole._idle = False
        whole._next[2] = 0
        assert (await whole.ends())[2] == 1
        whole._idle = True  # as behind the end of a foreign producer's transaction
        assert (await whole.ends())[2] == 0


async def test_a_position_that_the_topic_does_not_hold_is_begun_at_its_first_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as bench:
        await bench.write(0, *[b"x"] * 5)
        await bench.until_read(0, 5)
        bounds = bench.log.bounds
        monkeypatch.setattr(bench.log, "bounds", lambda topic: ([3, 0, 0, 0], bounds(topic)[1]))
        bench.whole.starts[0] = 0
        bench.group.assign(bench.group.ours)
        await bench.until_read(0, 5)
        assert bench.whole.offsets(0) == [0, 1, 2, 3, 4, 3, 4]


async def test_a_reader_that_fails_ends_the_worker() -> None:
    bench = Bench()

    def fails(*_: object, **__: object) -> None:
        raise IntegrityError("it has 5 partitions")

    bench.log.tail = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(IntegrityError, match="5 partitions"):
        await asyncio.wait_for(bench.worker.run(), 10)
