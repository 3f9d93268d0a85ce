"""The router: every share hears of every offset once, in order, and at once of what concerns it."""

from __future__ import annotations

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
from projections.faust.admission import Judge
from projections.online.router import Router
from tests.builders.worker_pieces import batch
from tests.fakes.events import imported, submitted, transaction


class Shares:
    """What each share was sent; the next `failures` sends are refused."""

    def __init__(self) -> None:
        self.sent: dict[int, list[Routed]] = {q: [] for q in range(ENTITIES.partitions)}
        self.failures = 0
        self.news = asyncio.Event()

    async def send(self, share: int, value: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise LogUnavailableError("no broker answers")
        self.sent[share].append(decode_routed(value))
        self.news.set()

    async def all_told(self, offset: int) -> None:
        while any(self.covered(q) < offset for q in self.sent):
            await self.news.wait()
            self.news.clear()

    @property
    def records(self) -> int:
        return sum(map(len, self.sent.values()))

    def covered(self, share: int) -> int:
        """The last offset of source 0 that the writer of this share knows to be covered."""
        last: dict[int, int] = {}
        for record in self.sent[share]:
            if record.joins(last):
                last[record.source] = record.last
        return last.get(0, -1)


class NoStates:
    """Markers of a keyspace in which nothing was written yet."""

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


async def started(shares: Shares) -> Router:
    judge = Judge(TRANSACTIONS.name, None, dead_letter)
    router = Router(cast(Any, NoStates()), judge, shares.send)
    await router.assign({0})
    return router


def test_what_concerns_a_share_is_sent_at_once_and_nothing_to_the_others() -> None:
    async def run() -> None:
        shares = Shares()
        router = await started(shares)
        await router.handle(batch([submitted("a")]))
        assert shares.records == 0
        await router.handle(batch([of_card("b", "c-1")], first=1))
        concerned = [q for q, sent in shares.sent.items() if sent]
        assert 0 < len(concerned) < ENTITIES.partitions
        assert all(shares.covered(q) == 1 for q in concerned)

    asyncio.run(run())


def test_a_watermark_tells_the_others_and_no_offset_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("projections.online.router._WATERMARK_SECONDS", 0.001)

    async def run() -> None:
        shares = Shares()
        router = await started(shares)
        for offset in range(5):
            await router.handle(batch([of_card(f"t-{offset}", "c-1")], first=offset))
        watching = asyncio.create_task(router.watch())
        async with asyncio.timeout(10):
            await shares.all_told(4)
        watching.cancel()
        told = shares.records
        for sent in shares.sent.values():
            assert sent[0].first == 0
            assert all(b.first == a.last + 1 for a, b in pairwise(sent))
        assert told == shares.records

    asyncio.run(run())


def test_a_refused_record_is_sent_again_without_a_gap() -> None:
    async def run() -> None:
        shares = Shares()
        router = await started(shares)
        shares.failures = 1
        handed = batch([of_card("a", "c-1"), of_card("b", "c-2")])
        with pytest.raises(LogUnavailableError):
            await router.handle(handed)
        await router.handle(handed)
        concerned = [q for q, sent in shares.sent.items() if sent]
        assert all(shares.covered(q) == 1 for q in concerned)
        entries = {
            offset for sent in shares.sent.values() for r in sent for offset, *_ in r.entries
        }
        assert entries == {0, 1}

    asyncio.run(run())
