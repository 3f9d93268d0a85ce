"""The router: each shard gets each offset once, in order, and its own events at once."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from domain.errors import LogUnavailableError
from domain.events import Envelope
from eventlog.routing import Routed, decode_routed
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.faust.admission import RecordAdmission
from projections.online.router import Router
from tests.builders.workers.pieces import batch
from tests.fakes.events import imported, submitted, transaction


class Shards:
    """What each shard was sent; the next `failures` sends are refused."""

    def __init__(self) -> None:
        self.sent: dict[int, list[Routed]] = {q: [] for q in range(ENTITIES.partitions)}
        self.failures = 0
        self.news = asyncio.Event()

    async def send(self, shard: int, value: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise LogUnavailableError("no broker answers")
        self.sent[shard].append(decode_routed(value))
        self.news.set()

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


class NoStates:
    """A store without markers."""

    def adopt(self) -> None:
        return

    def markers(self) -> Any:
        covered = dict.fromkeys(range(TRANSACTIONS.partitions), -1)
        return SimpleNamespace(covered=lambda *_: covered)


def of_card(transaction_id: str, card: str) -> Envelope:
    envelope = imported(transaction_id)
    data = replace(envelope.data, transaction=transaction(transaction_id, card_id=card))
    return replace(envelope, data=data)


async def dead_letter(*_: object) -> None:
    raise AssertionError("nothing here is dead")


async def started(shards: Shards) -> Router:
    admission = RecordAdmission(TRANSACTIONS.name, None, dead_letter)
    router = Router(cast(Any, NoStates()), admission, shards.send)
    await router.assign({0})
    return router


async def test_events_of_a_shard_are_sent_at_once_and_nothing_to_the_others() -> None:
    shards = Shards()
    router = await started(shards)
    await router.handle(batch([submitted("a")]))
    assert shards.records == 0
    await router.handle(batch([of_card("b", "c-1")], first=1))
    concerned = [q for q, sent in shards.sent.items() if sent]
    assert 0 < len(concerned) < ENTITIES.partitions
    assert all(shards.covered(q) == 1 for q in concerned)


async def test_watermarks_reach_other_shards_without_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.online.router._WATERMARK_SECONDS", 0.001)
    shards = Shards()
    router = await started(shards)
    for offset in range(5):
        await router.handle(batch([of_card(f"t-{offset}", "c-1")], first=offset))
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
        await router.handle(handed)
    await router.handle(handed)
    concerned = [q for q, sent in shards.sent.items() if sent]
    assert all(shards.covered(q) == 1 for q in concerned)
    entries = {offset for sent in shards.sent.values() for r in sent for offset, *_ in r.entries}
    assert entries == {0, 1}
