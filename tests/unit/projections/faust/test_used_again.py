"""Ids used again after the horizon: read from the beginning, nothing counts or alerts twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx

from commands.agents.alert_delivery import AlertDelivery, Delivery
from commands.alerts.routing import own_route
from commands.alerts.sending import Sender
from domain.alerts import alert_of
from domain.events import Envelope
from domain.policy.snapshot import NO_POLICY
from eventlog.admission.first_wins import HORIZON_US
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS, TRANSACTIONS
from projections.faust.admission import RecordAdmission
from tests.builders.workers.pieces import batch
from tests.fakes.events import NOW, labelled, scored, submitted


async def nowhere(*_: object) -> None:
    """Nothing here is dead-lettered."""


async def test_a_rebuilt_store_gets_both_uses_of_an_id(tmp_path: Path) -> None:
    again = NOW + HORIZON_US + 1
    uses = [submitted(), scored(), labelled(), submitted(known_time=again), scored(), labelled()]
    read = batch(uses)
    admission = RecordAdmission(
        TRANSACTIONS.name, partial(SqliteMemory, tmp_path / "admission.sqlite"), nowhere
    )
    for _ in range(2):
        assert admission.open({0}, from_start={0}) == {0: 0}
        checked = await admission.check(read)
        assert [each.status for each in checked] == ["counts"] * 6
        admission.commit([read])
    assert admission.open({0}) == {0: 6}
    admission.close()


@asynccontextmanager
async def delivering(
    posted: list[str], path: Path, clock: Callable[[], int]
) -> AsyncIterator[tuple[AlertDelivery, InMemoryEventLog, asyncio.Event]]:
    rang = asyncio.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        posted.append(request.headers["Idempotency-Key"])
        rang.set()
        return httpx.Response(204)

    log, memory = InMemoryEventLog(), SqliteMemory(path)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        sender, own = Sender(client, {}, clock), [own_route("http://desk/", "")]
        delivery = Delivery(sender, lambda: NO_POLICY, own)
        handler = AlertDelivery(log, memory, delivery, "test", clock)
        await handler.assign({0})
        yield handler, log, rang
        await handler.revoke({0})
    memory.close()


def raised(transaction_id: str, now: int) -> Envelope:
    alert = alert_of(scored(transaction_id, outcome="decline"), "test", now)
    assert alert is not None
    return alert


async def test_an_alert_that_is_raised_again_is_not_delivered_again(tmp_path: Path) -> None:
    later = NOW + 3 * 86_400_000_000
    posted: list[str] = []
    async with delivering(posted, tmp_path / "a.sqlite", lambda: later) as (handler, _, rang):
        # The first was raised days ago; its repetition is of now, and so is a third alert.
        alerts = [raised("t-1", NOW), raised("t-1", later), raised("t-2", later)]
        await handler.handle([batch(alerts, topic=ALERTS)])
        await asyncio.wait_for(rang.wait(), 5)
    assert posted == [alerts[2].id]
