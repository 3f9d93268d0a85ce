"""Contract suite of EventLog; one test module per adapter inherits it and gives the log."""

import asyncio
import threading
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import monotonic
from typing import Any

import pytest

from domain.errors import LogUnavailableError, NotFoundError
from eventlog.codec import decode, encode
from eventlog.port import EventLog, Position, Recorded, Tail
from eventlog.topics import ENTITIES, POLICY, TRANSACTIONS, Topic
from tests.fakes.events import promoted, submitted

DEADLINE = 20.0
ALL = dict.fromkeys(range(TRANSACTIONS.partitions), 0)


async def appended(log: EventLog, topic: Topic, *ids: str) -> list[Position]:
    sent = [log.append(topic, i, submitted(i)) for i in ids]
    return [await each for each in sent]


async def ends(log: EventLog, topic: Topic = TRANSACTIONS) -> list[int]:
    return list(await log.ends(topic))


def digests(log: EventLog) -> list[str]:
    return [decode(recorded.value).data.digest for recorded in log.read(TRANSACTIONS)]


def followed(tail: Tail, count: int, most: int = 500) -> list[Recorded]:
    found: list[Recorded] = []
    deadline = monotonic() + DEADLINE
    while len(found) < count and monotonic() < deadline:
        batch = tail.poll(1.0, most=most)
        assert len(batch) <= most
        found += batch
    return found


class EventLogContract:
    """Topics are empty at the start of each test."""

    @pytest.fixture
    def log(self) -> EventLog:
        raise NotImplementedError("give the log under test")

    async def test_an_acknowledged_append_is_at_once_in_ends_read_and_read_one(
        self, log: EventLog
    ) -> None:
        (position,) = await appended(log, TRANSACTIONS, "t-1")
        assert position.topic == TRANSACTIONS.name
        assert position.partition == log.partition_of(TRANSACTIONS, "t-1")
        assert (await ends(log))[position.partition] == position.offset + 1
        assert sum(await ends(log)) == 1
        (stored,) = log.read(TRANSACTIONS)
        assert (stored.position, stored.key) == (position, "t-1")
        assert stored.value == encode(submitted("t-1"))
        assert log.read_one(position) == stored

    async def test_records_of_one_key_keep_the_order_of_their_appends(self, log: EventLog) -> None:
        waiting: list[Awaitable[Position]] = [
            log.append(TRANSACTIONS, "same", submitted("same", digest=str(n))) for n in range(200)
        ]
        positions = [await each for each in waiting]
        assert [p.offset for p in positions] == list(range(200))
        assert digests(log) == [str(n) for n in range(200)]

    async def test_what_is_appended_together_lies_side_by_side_in_order(
        self, log: EventLog
    ) -> None:
        together = [submitted("same", digest=str(n)) for n in range(3)]
        first = await log.append(TRANSACTIONS, "same", submitted("same", digest="first"))
        sent = log.append_together(TRANSACTIONS, "same", together)
        positions = [await each for each in sent]
        assert [p.offset - first.offset for p in positions] == [1, 2, 3]
        assert [log.read_one(each).value for each in positions] == [*map(encode, together)]

    async def test_bulk_and_awaited_appends_of_one_key_share_one_order(self, log: EventLog) -> None:
        for n in range(0, 100, 2):
            log.append_nowait(TRANSACTIONS, "same", submitted("same", digest=str(n)))
            await log.append(TRANSACTIONS, "same", submitted("same", digest=str(n + 1)))
        log.flush()
        assert digests(log) == [str(n) for n in range(100)]

    async def test_bulk_appends_are_all_stored_after_flush_each_on_its_keys_partition(
        self, log: EventLog
    ) -> None:
        for n in range(3_000):
            log.append_nowait(TRANSACTIONS, f"t-{n}", submitted(f"t-{n}"))
        log.flush()
        assert sum(await ends(log)) == 3_000
        for record in log.read(TRANSACTIONS):
            assert record.key is not None
            assert record.position.partition == log.partition_of(TRANSACTIONS, record.key)

    async def test_a_chosen_partition_wins_over_the_key(self, log: EventLog) -> None:
        position = await log.append(ENTITIES, "any", submitted("any"), partition=5)
        assert position.partition == 5

    async def test_a_topic_of_one_partition_needs_no_key(self, log: EventLog) -> None:
        positions = [await log.append(POLICY, None, promoted(f"m-{n}")) for n in range(3)]
        assert [p.offset for p in positions] == [0, 1, 2]
        assert [record.key for record in log.read(POLICY)] == [None] * 3

    def test_many_threads_append_each_record_once_and_read_it(self, log: EventLog) -> None:
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(
                lambda t: asyncio.run(
                    appended(log, TRANSACTIONS, *(f"{t}-{n}" for n in range(50)))
                ),
                range(8),
            )
            positions = [position for each in found for position in each]
            assert len(set(positions)) == 400
            assert sorted(r.position for r in log.read(TRANSACTIONS)) == sorted(positions)
            assert [r.position for r in pool.map(log.read_one, positions)] == positions

    async def test_reading_is_bounded_by_start_and_end(self, log: EventLog) -> None:
        assert list(log.read(TRANSACTIONS)) == []
        for n in range(10):
            await log.append(TRANSACTIONS, f"k-{n}", submitted(), partition=n % 2)
        found = list(log.read(TRANSACTIONS, start={0: 1, 1: 3}, end={0: 3, 1: 4}))
        places = sorted((r.position.partition, r.position.offset) for r in found)
        assert places == [(0, 1), (0, 2), (1, 3)]
        assert list(log.read(TRANSACTIONS, start={0: 5, 1: 5})) == []

    async def test_reading_ends_at_the_end_as_of_the_call(self, log: EventLog) -> None:
        await appended(log, TRANSACTIONS, "t-1")
        found = log.read(TRANSACTIONS, end=dict.fromkeys(range(TRANSACTIONS.partitions), 1000))
        await appended(log, TRANSACTIONS, "t-1", "t-2")
        assert len(list(found)) == 1

    async def test_its_bounds_are_its_first_offsets_and_its_ends(self, log: EventLog) -> None:
        before = log.bounds(TRANSACTIONS)[1]
        place = await log.append(TRANSACTIONS, "t-1", submitted("t-1"))
        firsts, ends = log.bounds(TRANSACTIONS)
        assert ends == [*await log.ends(TRANSACTIONS)]
        assert ends[place.partition] == place.offset + 1 == before[place.partition] + 1
        assert [*firsts] == [0] * TRANSACTIONS.partitions

    async def test_reading_where_nothing_is_stored_raises_not_found(self, log: EventLog) -> None:
        (position,) = await appended(log, TRANSACTIONS, "t-1")
        for offset in (position.offset + 1, position.offset + 1_000):
            with pytest.raises(NotFoundError, match=TRANSACTIONS.name):
                log.read_one(Position(TRANSACTIONS.name, position.partition, offset))

    async def test_a_few_are_read_from_a_place_on(self, log: EventLog) -> None:
        for n in range(6):
            await log.append(TRANSACTIONS, "same", submitted(digest=str(n)), partition=3)
        for first, count, last in ((0, 3, 3), (4, 1, 5), (4, 2, 6), (3, 50, 6)):
            found = log.read_few(Position(TRANSACTIONS.name, 3, first), count)
            assert [each.position.offset for each in found] == list(range(first, last))
        with pytest.raises(NotFoundError, match=TRANSACTIONS.name):
            log.read_few(Position(TRANSACTIONS.name, 3, 6), 2)

    async def test_a_tail_begins_at_its_positions_and_misses_nothing_after(
        self, log: EventLog
    ) -> None:
        async def fill(first: int, last: int) -> None:
            for n in range(first, last):
                await log.append(TRANSACTIONS, None, submitted(str(n)), partition=n % 2)

        await fill(0, 20)
        with closing(log.tail(TRANSACTIONS, {0: 7, 1: 0})) as tail:
            found = followed(tail, 13)
            await fill(20, 40)
            found += followed(tail, 20)
        of_first = [r.position.offset for r in found if r.position.partition == 0]
        of_second = [r.position.offset for r in found if r.position.partition == 1]
        assert of_first == list(range(7, 20))
        assert of_second == list(range(20))

    async def test_a_tail_reads_its_own_partitions_alone(self, log: EventLog) -> None:
        with closing(log.tail(TRANSACTIONS, {1: 1})) as tail:
            for n in range(20):
                await log.append(TRANSACTIONS, None, submitted(str(n)), partition=n % 4)
            places = [each.position for each in followed(tail, 4)]
        assert {(each.partition, each.offset) for each in places} == {(1, n) for n in range(1, 5)}

    def test_a_tail_of_no_partition_waits_for_its_timeout(self, log: EventLog) -> None:
        with closing(log.tail(TRANSACTIONS, {})) as tail:
            assert tail.poll(0.1) == []

    async def test_a_tail_gives_at_most_what_it_is_asked_for(self, log: EventLog) -> None:
        await appended(log, TRANSACTIONS, *(f"t-{n}" for n in range(30)))
        with closing(log.tail(TRANSACTIONS, ALL)) as tail:
            assert len(followed(tail, 30, most=7)) == 30

    def test_an_idle_tail_returns_nothing_at_its_timeout(self, log: EventLog) -> None:
        with closing(log.tail(TRANSACTIONS, ALL)) as tail:
            began = monotonic()
            assert tail.poll(0.3) == []
            assert 0.25 < monotonic() - began < DEADLINE

    async def test_a_waiting_tail_wakes_for_the_next_append(self, log: EventLog) -> None:
        waiting = threading.Event()

        def wait() -> list[Recorded]:
            tail.poll(0.1)
            waiting.set()
            return tail.poll(DEADLINE)

        with closing(log.tail(TRANSACTIONS, ALL)) as tail, ThreadPoolExecutor(1) as pool:
            found = pool.submit(wait)
            assert waiting.wait(DEADLINE)
            began = monotonic()
            (position,) = await appended(log, TRANSACTIONS, "t-1")
            assert [r.position for r in found.result()] == [position]
            assert monotonic() - began < DEADLINE / 2

    async def test_a_closed_log_takes_no_more_records(self, log: EventLog) -> None:
        await appended(log, TRANSACTIONS, "t-1")
        log.close()
        with pytest.raises(LogUnavailableError, match="closed"):
            await appended(log, TRANSACTIONS, "t-2")
        with pytest.raises(LogUnavailableError, match="closed"):
            log.append_nowait(TRANSACTIONS, "t-3", submitted("t-3"))

    async def test_bytes_that_are_no_event_are_kept_as_they_are(self, log: Any) -> None:
        position = await log.append_bytes(TRANSACTIONS, "t", b"\xff\x00 no event")
        assert log.read_one(position).value == b"\xff\x00 no event"

    @pytest.mark.parametrize(
        ("key", "partition"),
        # murmur2 of these keys as in Kafka's UtilsTest, sign bit dropped, over 8 partitions.
        [("21", 4), ("foobar", 6), ("a-little-bit-long-string", 0), ("abc", 3)],
    )
    def test_keys_have_the_partitions_that_java_gives_them(
        self, log: EventLog, key: str, partition: int
    ) -> None:
        assert log.partition_of(TRANSACTIONS, key) == partition
