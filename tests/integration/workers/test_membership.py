"""Membership by Faust in a real group: long assignments, seeks back and forth, holds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from faust.types import TP

from domain.errors import UnavailableError
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.batch import Batch
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import DEAD_LETTERS, INBOX_TRANSACTIONS, TRANSACTIONS
from projections.faust.app import build_membership
from projections.faust.faust_membership import FaustMembership
from projections.faust.membership import TopicPartition
from projections.faust.settings import WorkerSettings
from projections.faust.worker import Worker
from tests.builders.workers.pieces import Handler

COUNT = TRANSACTIONS.partitions


@pytest.fixture
def settings(kafka: KafkaSettings, tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(kafka, tmp_path, fetch_wait_ms=20)


class Reader:
    """A member that keeps what it gets; `ours` as of the last assignment."""

    def __init__(self, settings: WorkerSettings, topic: str, name: str = "reader") -> None:
        self.member: FaustMembership = build_membership(name, settings)
        self.got: list[tuple[int, int]] = []
        self.calls = 0
        self.ours: frozenset[TopicPartition] = frozenset()
        self.changed = asyncio.Event()
        self.member.bind([topic], self._assigned, self._consume)

    def _assigned(self, partitions: frozenset[TopicPartition]) -> None:
        self.ours = partitions
        self.changed.set()

    async def _consume(self, batches: Sequence[Batch]) -> None:
        self.calls += 1
        self.got += [(each.partition, at) for each in batches for at, _, _ in each.records]
        self.changed.set()

    def least(self) -> int:
        """Bytes that the broker is to gather before it answers."""
        asked: int = self.member._app.consumer._thread._consumer._fetcher._fetch_min_bytes
        return asked

    async def owns(self, count: int) -> None:
        await self._until(lambda: len(self.ours) == count)

    async def has(self, *places: tuple[int, int]) -> None:
        await self._until(lambda: set(places) <= set(self.got))

    async def ends_at(self, place: TopicPartition, end: int) -> None:
        """Waits until it is told; the consumer has yet to step over what lies behind."""
        async with asyncio.timeout(30):
            while (await self.member.ends([place]))[place] != end:  # noqa: ASYNC110 (asked)
                await asyncio.sleep(0.02)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def running(reader: Reader) -> AsyncIterator[Reader]:
    await reader.member.start()
    try:
        yield reader
    finally:
        await reader.member.stop()


async def lay_down(log: KafkaEventLog, *partitions: int) -> None:
    for partition in partitions:
        await log.append_bytes(TRANSACTIONS, None, b"x", partition)


async def test_an_assignment_may_take_longer_than_the_request_timeout_of_faust(
    settings: WorkerSettings, log: KafkaEventLog
) -> None:
    await lay_down(log, *range(COUNT))
    member, handler = build_membership("worker", settings), Handler()
    member._app.conf.broker_request_timeout = 0.5
    # Their pauses are .1, .2, .4 and .8 s.
    handler.trouble_of_assign = [UnavailableError("redis", "away")] * 4
    worker = Worker("worker", member, {TRANSACTIONS: handler}, prefix=settings.kafka.topic_prefix)
    done = asyncio.Event()

    def seen() -> bool:
        return sorted(handler.got) == [(partition, [0]) for partition in range(COUNT)]

    handle = handler.handle

    async def handle_and_tell(batches: Sequence[Batch]) -> None:
        await handle(batches)
        if seen():
            done.set()

    handler.handle = handle_and_tell  # type: ignore[method-assign]
    working = asyncio.create_task(worker.run())
    await asyncio.wait_for(done.wait(), 60)
    worker.stop()
    await working


async def test_partitions_are_read_from_where_they_are_sought_back_and_forth(
    settings: WorkerSettings, log: KafkaEventLog
) -> None:
    topic = topic_name(settings.kafka.topic_prefix, TRANSACTIONS)
    await lay_down(log, *[0, 1] * 10)
    async with running(Reader(settings, topic)) as reader:
        await reader.owns(COUNT)
        await reader.member.seek({(topic, partition): 0 for partition in range(COUNT)})
        await reader.has((0, 9), (1, 9))
        assert [at for partition, at in reader.got if partition == 0] == list(range(10))
        for start in (2, 8, 0):
            reader.got.clear()
            await reader.member.seek({(topic, 0): start})
            await reader.has((0, 9))
            assert reader.got == [(0, at) for at in range(start, 10)]
        assert await reader.member.ends([(topic, 0), (topic, 2)]) == {(topic, 0): 10, (topic, 2): 0}


async def test_a_held_partition_is_not_read_until_it_is_resumed(
    settings: WorkerSettings, log: KafkaEventLog
) -> None:
    topic = topic_name(settings.kafka.topic_prefix, TRANSACTIONS)
    async with running(Reader(settings, topic)) as reader:
        await reader.owns(COUNT)
        await reader.member.seek({(topic, partition): 0 for partition in range(COUNT)})
        await lay_down(log, 0, 1)
        await reader.has((0, 0), (1, 0))
        reader.member.hold(topic, 0, True)
        for at in range(1, 4):
            await lay_down(log, 0, 1)
            await reader.has((1, at))
        # What was being fetched when it was held may come.
        assert (0, 3) not in reader.got
        reader.member.hold(topic, 0, False)
        await reader.has((0, 3))
        assert [at for partition, at in reader.got if partition == 0] == list(range(4))


async def test_each_rebalance_is_told_and_nothing_is_read_before_the_next_seek(
    settings: WorkerSettings, log: KafkaEventLog
) -> None:
    topic = topic_name(settings.kafka.topic_prefix, TRANSACTIONS)
    async with running(Reader(settings, topic)) as first:
        await first.owns(COUNT)
        await first.member.seek({(topic, partition): 0 for partition in range(COUNT)})
        first.member.hold(topic, 0, True)
        async with running(Reader(settings, topic)) as second:
            await asyncio.gather(first.owns(COUNT // 2), second.owns(COUNT // 2))
            assert first.ours.isdisjoint(second.ours)
            await lay_down(log, *range(COUNT))
            mine = {partition for _, partition in second.ours}
            await second.member.seek(dict.fromkeys(second.ours, 0))
            await second.has(*((partition, 0) for partition in mine))
            assert first.got == []
            # No more than a call in vain: these are not ours any more.
            await first.member.seek(dict.fromkeys(second.ours, 0))
        await first.owns(COUNT)
        await first.member.seek(dict.fromkeys(first.ours, 0))
        # The assignment has ended the hold.
        await first.has(*((partition, 0) for partition in range(COUNT)))


async def test_what_a_fetch_takes_that_a_rebalance_has_overtaken_is_read_again(
    settings: WorkerSettings, log: KafkaEventLog
) -> None:
    topic = topic_name(settings.kafka.topic_prefix, TRANSACTIONS)
    async with running(Reader(settings, topic)) as reader:
        await reader.owns(COUNT)
        await reader.member.seek({(topic, partition): 0 for partition in range(COUNT)})
        # Faust's own fetches leave it out.
        reader.member.hold(topic, 0, True)
        thread = reader.member._app.consumer._thread
        overtaken = asyncio.create_task(thread.getmany({TP(topic, 0)}, timeout=30.0))
        await asyncio.sleep(0)
        await reader.member.seek({(topic, 0): 0})
        await lay_down(log, 0)
        assert await overtaken == {}
        reader.member.hold(topic, 0, False)
        await reader.has((0, 0))


async def test_topics_are_read_side_by_side(settings: WorkerSettings, log: KafkaEventLog) -> None:
    slow, quick = Handler(), Handler()
    go_on = asyncio.Event()

    async def wait(batches: Sequence[Batch]) -> None:
        assert batches[0].first == 0
        slow.called.set()
        await go_on.wait()

    slow.handle = wait  # type: ignore[method-assign]
    member = build_membership("worker", settings)
    handlers = {TRANSACTIONS: slow, DEAD_LETTERS: quick}
    worker = Worker("worker", member, handlers, prefix=settings.kafka.topic_prefix)
    working = asyncio.create_task(worker.run())
    await asyncio.wait_for(worker.ready(), 60)
    await lay_down(log, 0)
    await asyncio.wait_for(slow.called.wait(), 60)
    await log.append_bytes(DEAD_LETTERS, None, b"x", 0)
    await asyncio.wait_for(quick.called.wait(), 60)
    go_on.set()
    worker.stop()
    await working


async def test_what_ends_a_transaction_is_no_record_that_waits(
    settings: WorkerSettings, kafka: KafkaSettings, log: KafkaEventLog
) -> None:
    assert await log.ends(INBOX_TRANSACTIONS)
    place = topic_name(settings.kafka.topic_prefix, INBOX_TRANSACTIONS), 0
    foreign = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": kafka.topic_prefix}
    )
    foreign.init_transactions(30)

    def transaction() -> None:
        foreign.begin_transaction()
        foreign.produce(place[0], b"x", partition=0)
        assert foreign.flush(30) == 0

    async with running(Reader(settings, place[0])) as reader:
        await reader.owns(INBOX_TRANSACTIONS.partitions)
        await reader.member.seek(dict.fromkeys(reader.ours, 0))
        transaction()
        foreign.commit_transaction(30)
        await reader.has((0, 0))
        await reader.ends_at(place, 1)
        transaction()
        foreign.abort_transaction(30)
        await reader.ends_at(place, 1)
        # As after a start, with nothing left to read.
        await reader.member.seek({place: 1})
        await reader.ends_at(place, 1)
        transaction()
        await reader.ends_at(place, 1)
        foreign.commit_transaction(30)
        await reader.ends_at(place, 5)
        await reader.has((0, 4))
        assert reader.got == [(0, 0), (0, 4)]


async def test_the_first_records_of_a_quiet_time_come_at_once_and_those_behind_them_together(
    settings: WorkerSettings, log: KafkaEventLog
) -> None:
    topic = topic_name(settings.kafka.topic_prefix, TRANSACTIONS)
    # Whoever gathers would get the first one after that.
    gathering = replace(settings, fetch_wait_ms=30_000, first_at_once=True)
    async with running(Reader(gathering, topic)) as reader, asyncio.timeout(25):
        await reader.owns(COUNT)
        await reader.member.seek({(topic, partition): 0 for partition in range(COUNT)})
        assert reader.least() == 1
        for at in range(4):
            await lay_down(log, 0)
            await reader.has((0, at))
    gathering = replace(gathering, fetch_wait_ms=1_000)
    async with running(Reader(gathering, topic, "another")) as reader:
        await reader.owns(COUNT)
        await reader.member.seek({(topic, partition): 0 for partition in range(COUNT)})
        await reader.has((0, 3))
        reader.calls = 0
        await lay_down(log, *range(COUNT), *range(COUNT))
        await reader.has((0, 5), *((partition, 1) for partition in range(1, COUNT)))
        assert reader.calls <= 5
        async with asyncio.timeout(30):
            while reader.least() != 1:  # noqa: ASYNC110 (asked)
                await asyncio.sleep(0.02)
