"""The router: each shard gets each offset once, in order, and its own events at once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from domain.errors import LogUnavailableError
from domain.events import Envelope
from domain.features import entity_keys, feature_event
from domain.features.kernel.row_layout import OFFSET
from domain.features.rows import row_of
from domain.features.state import Row
from eventlog.port import Position
from eventlog.routing import Routed, decode_routed, entries_of, shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.faust.admission import DeadLetter, RecordAdmission
from projections.online.encoding import Key
from projections.online.port import Marker
from projections.online.router import Router
from tests.builders.workers.pieces import batch
from tests.fakes.events import decision_on, imported, submitted, transaction
from tests.fakes.states import InMemoryStates


class Shards:
    """What each shard was sent; the next `failures` sends are refused."""

    def __init__(self) -> None:
        self.sent: dict[int, list[Routed]] = {q: [] for q in range(ENTITIES.partitions)}
        self.failures = 0
        self.news = asyncio.Event()

    async def send(self, shard: int, value: bytes) -> Position:
        if self.failures:
            self.failures -= 1
            raise LogUnavailableError("no broker answers")
        self.sent[shard].append(decode_routed(value))
        self.news.set()
        return Position(ENTITIES.name, shard, len(self.sent[shard]) - 1)

    def rows(self) -> list[list[int]]:
        every = [record for sent in self.sent.values() for record in sent]
        return [row for record in every for *_, rows in entries_of(record) for row in rows.tolist()]

    async def all_told(self, offset: int) -> None:
        while any(self.covered(q) < offset for q in self.sent):
            await self.news.wait()
            self.news.clear()

    @property
    def records(self) -> int:
        return sum(map(len, self.sent.values()))

    def covered(self, shard: int) -> int:
        """The last offset of source 0 that the records of this shard cover."""
        last: dict[int, int] = {}
        for record in self.sent[shard]:
            if record.joins(last):
                last[record.source] = record.last
        return last.get(0, -1)


def of_card(transaction_id: str, card: str, amount: int = 100) -> Envelope:
    envelope = imported(transaction_id)
    paid = transaction(transaction_id, card_id=card, base_amount=amount)
    return replace(envelope, data=replace(envelope.data, transaction=paid))


async def dead_letter(*_: object) -> None:
    raise AssertionError("nothing here is dead")


async def started(shards: Shards, set_aside: DeadLetter = dead_letter) -> Router:
    admission = RecordAdmission(TRANSACTIONS.name, None, set_aside)
    router = Router(InMemoryStates(), admission, shards.send, lambda: None)
    await router.assign({0})
    return router


def routing(shards: Shards, states: InMemoryStates, again: Callable[[], None]) -> Router:
    admission = RecordAdmission(TRANSACTIONS.name, None, dead_letter)
    return Router(states, admission, shards.send, again)


async def test_events_of_a_shard_are_sent_at_once_and_nothing_to_the_others() -> None:
    shards = Shards()
    router = await started(shards)
    await router.handle([batch([submitted("a")])])
    assert shards.records == 0
    await router.handle([batch([of_card("b", "c-1")], first=1)])
    concerned = [q for q, sent in shards.sent.items() if sent]
    assert 0 < len(concerned) < ENTITIES.partitions
    assert all(shards.covered(q) == 1 for q in concerned)


async def test_watermarks_reach_other_shards_without_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.online.router._WATERMARK_SECONDS", 0.001)
    shards = Shards()
    router = await started(shards)
    for offset in range(5):
        await router.handle([batch([of_card(f"t-{offset}", "c-1")], first=offset)])
    watching = asyncio.create_task(router.watch())
    async with asyncio.timeout(10):
        await shards.all_told(4)
    watching.cancel()
    told = shards.records
    for sent in shards.sent.values():
        assert sent[0].first == 0
        assert all(b.first == a.last + 1 for a, b in pairwise(sent))
    assert told == shards.records


async def test_a_refused_record_is_sent_again_without_a_gap() -> None:
    shards = Shards()
    router = await started(shards)
    shards.failures = 1
    handed = batch([of_card("a", "c-1"), of_card("b", "c-2")])
    with pytest.raises(LogUnavailableError):
        await router.handle([handed])
    await router.handle([handed])
    concerned = [q for q, sent in shards.sent.items() if sent]
    assert all(shards.covered(q) == 1 for q in concerned)
    assert {row[OFFSET] for row in shards.rows()} == {0, 1}


async def test_each_entity_gets_the_rows_of_its_events_in_its_own_shard() -> None:
    shards = Shards()
    router = await started(shards)
    paid = [transaction(f"t-{n}", card_id=f"c-{n % 3}", customer_id="k" * n) for n in range(4)]
    envelopes = [decision_on(each, number) for number, each in enumerate(paid)]
    await router.handle([batch(envelopes)])
    expected: dict[Key, list[Row]] = {}
    for offset, envelope in enumerate(envelopes):
        event = feature_event(envelope)
        assert event
        for key in entity_keys(event).items():
            expected.setdefault(key, []).append(row_of(0, offset, event))
    found: dict[Key, list[Row]] = {}
    decided = set()
    for shard, sent in shards.sent.items():
        for record in sent:
            decided |= {transaction_id for _, transaction_id in record.decided}
            for entity, keys, rows in entries_of(record):
                for name, row in zip(keys, rows.tolist(), strict=True):
                    assert shard_of(entity, name) == shard
                    found.setdefault((entity, name), []).append(tuple(row))
    assert found == expected
    assert decided == {"t-0", "t-1", "t-2", "t-3"}


async def test_a_shard_is_sent_nothing_that_it_covers_where_another_lacks_more() -> None:
    shards, states = Shards(), InMemoryStates()
    states.marks.update({q: Marker(9, {0: 40 if q % 2 else 9}) for q in shards.sent})
    router = routing(shards, states, lambda: None)
    assert await router.assign({0}) == {0: 10}
    events = [of_card(f"t-{n}", f"c-{n}") for n in range(10, 60)]
    await router.handle([batch(events, first=10)])
    for q, sent in shards.sent.items():
        found = [row[OFFSET] for r in sent for *_, rows in entries_of(r) for row in rows.tolist()]
        assert min(found) > (40 if q % 2 else 9)


async def test_what_no_state_can_hold_is_set_aside_once_and_stops_nothing() -> None:
    shards, dead = Shards(), list[tuple[int, bytes, str]]()

    async def set_aside(place: Position, value: bytes, reason: str) -> None:
        dead.append((place.offset, value, reason))

    router = await started(shards, set_aside)
    handed = batch([of_card("a", "c-1"), of_card("b", "c-1", amount=-1), of_card("c", "c-1")])
    await router.handle([handed])
    ((offset, value, reason),) = dead
    assert (offset, value, "base_amount" in reason) == (1, handed.records[1][2], True)
    assert {row[OFFSET] for row in shards.rows()} == {0, 2}


class Shard:
    """The writer of shard 0, in another process: it moves its marker over what it was sent."""

    def __init__(self, shards: Shards, states: InMemoryStates) -> None:
        self.shards, self.states = shards, states
        states.marks.update({q: Marker() for q in range(ENTITIES.partitions)})

    def read(self, behind: int = 0) -> None:
        """All that was sent but for the latest few."""
        marker, end = self.states.marks[0], len(self.shards.sent[0]) - behind
        last = dict(marker.last)
        for record in self.shards.sent[0][marker.next : end]:
            if record.joins(last):
                last[record.source] = record.last
        self.states.marks[0] = Marker(end, last)

    def lose_marker(self) -> None:
        self.states.marks[0] = Marker(self.states.marks[0].next)


class Routings:
    """How often the router wanted its sources assigned again."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def add(self) -> None:
        self.asked.set()


async def routed(count: int, shards: Shards, states: InMemoryStates) -> tuple[Router, Routings]:
    """A router that watches, and has sent each of `count` events."""
    routings = Routings()
    router = routing(shards, states, routings.add)
    await router.assign({0})
    await router.handle([batch([of_card(f"t-{n}", f"c-{n}") for n in range(count)])])
    return router, routings


async def looked(router: Router, times: int = 1) -> None:
    for _ in range(times):
        await router._look()


async def test_a_shard_that_passes_a_record_without_covering_it_is_sent_what_it_lacks() -> None:
    shards, states = Shards(), InMemoryStates()
    shard = Shard(shards, states)
    router, routings = await routed(60, shards, states)
    shard.read()
    await looked(router, times=2)
    assert not routings.asked.is_set()
    shard.lose_marker()
    await looked(router)
    assert routings.asked.is_set()
    before = {q: len(sent) for q, sent in shards.sent.items()}
    states.marks.update({q: Marker(9, {0: 59}) for q in range(1, ENTITIES.partitions)})
    assert await router.assign({0}) == {0: 0}
    await router.handle([batch([of_card(f"t-{n}", f"c-{n}") for n in range(60)])])
    shard.read()
    assert states.marks[0].covers(0) == 59
    assert {q for q, sent in shards.sent.items() if len(sent) > before[q]} == {0}


async def test_a_shard_that_has_lost_its_marker_is_waited_for_until_it_has_passed_the_gap() -> None:
    shards, states = Shards(), InMemoryStates()
    shard = Shard(shards, states)
    router, routings = await routed(60, shards, states)
    shard.read()
    await looked(router, times=2)
    states.marks[0] = Marker()
    await looked(router, times=2)
    assert not routings.asked.is_set()
    del states.marks[0]
    await looked(router, times=2)
    assert not routings.asked.is_set()


async def test_under_constant_traffic_a_gap_is_seen_too() -> None:
    shards, states = Shards(), InMemoryStates()
    shard = Shard(shards, states)
    router, routings = await routed(60, shards, states)
    shard.read()
    for first in range(60, 600, 60):
        await router.handle(
            [batch([of_card(f"t-{n}", f"c-{n}") for n in range(first, first + 60)], first=first)]
        )
        await looked(router)
        shard.read(behind=1)
        if first == 240:
            shard.lose_marker()
    assert routings.asked.is_set()


async def test_what_brings_nothing_is_done_again_after_growing_pauses() -> None:
    """As while a writer of another version refuses the records of this router."""
    shards, states = Shards(), InMemoryStates()
    shard = Shard(shards, states)
    router, _ = await routed(60, shards, states)
    shard.read()
    await looked(router, times=2)
    pauses = []
    for _ in range(4):
        shard.lose_marker()
        now = asyncio.get_running_loop().time()
        await looked(router)
        pauses.append(round(router._look_at - now))
    assert pauses == [1, 2, 4, 8]


async def test_watch_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.online.router._WATERMARK_SECONDS", 0.001)
    shards, states = Shards(), InMemoryStates()
    shard = Shard(shards, states)
    router, routings = await routed(60, shards, states)
    shard.read()
    await looked(router, times=2)
    shard.lose_marker()
    watching = asyncio.create_task(router.watch())
    async with asyncio.timeout(10):
        await routings.asked.wait()
    watching.cancel()
