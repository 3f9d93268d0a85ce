"""Alert delivery: sends until the receiver accepts, says so in the log once, forgets nothing."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import httpx
import pytest

from commands.agents.alert_delivery import WITHIN_US, AlertDelivery, Delivery
from commands.agents.delivery_facts import delivered_fact
from commands.alerts.parcels import Parcel, Waiting
from commands.alerts.routing import own_route
from commands.alerts.sending import Sender
from domain.alerts import alert_of
from domain.events import (
    AlertDelivered,
    AlertResendAsked,
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
    RulesApplied,
)
from domain.model_alerts import model_alert
from domain.policy.snapshot import NO_POLICY
from domain.wording import sentence
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.topics import ALERTS
from tests.builders.workers.pieces import FailingLog, batch
from tests.fakes.events import NOW, scored


def alert(transaction_id: str, now: int = NOW) -> Envelope:
    found = alert_of(scored(transaction_id, outcome="review"), "tests", now)
    assert found is not None
    return found


ROUTE = own_route("http://hook/alerts", "")


def receipt(raised: Envelope) -> Envelope:
    """That an agent has delivered it."""
    waiting = Waiting(raised, raised, "high", 0, 0, 0.0)
    return delivered_fact(ROUTE, Parcel(raised.id, [waiting], attempts=1), waiting, "tests", NOW)


def fetched(*alerts: Envelope, first: int = 0) -> Batch:
    return batch(alerts, first=first, topic=ALERTS)


class Receiver:
    """A webhook: answers as told, then 204; each request waits in `requests`."""

    def __init__(self, answers: Sequence[int | Exception] = ()) -> None:
        self.answers = list(answers)
        self.requests: asyncio.Queue[httpx.Request] = asyncio.Queue()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.put_nowait(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    async def next(self) -> httpx.Request:
        return await asyncio.wait_for(self.requests.get(), 10)


class Bench:
    def __init__(self, receiver: Receiver, positions: SqliteMemory, failures: int = 0) -> None:
        self.log = FailingLog(failures)
        self.now = NOW
        client = httpx.AsyncClient(transport=httpx.MockTransport(receiver))
        clock = lambda: self.now  # noqa: E731
        delivery = Delivery(Sender(client, {}, clock), lambda: NO_POLICY, [ROUTE])
        self.handler = AlertDelivery(self.log, positions, delivery, "tests", clock, 0.0)

    @classmethod
    async def reading(
        cls, receiver: Receiver, positions: SqliteMemory, *alerts: Envelope, failures: int = 0
    ) -> Self:
        """A bench whose handler has read these alerts."""
        made = cls(receiver, positions, failures)
        await made.handler.assign({0})
        await made.handler.handle([fetched(*alerts)])
        return made

    async def delivered(self) -> Envelope:
        """The next statement of a delivery in the log."""
        tail = self.log.tail(ALERTS, dict.fromkeys(range(ALERTS.partitions), 0))
        while True:
            for recorded in await asyncio.to_thread(tail.poll, 10.0):
                envelope = decode(recorded.value)
                if isinstance(envelope.data, AlertDelivered | ModelAlertDelivered):
                    return envelope


async def test_a_reason_of_a_published_rule_is_told_in_its_words(positions: SqliteMemory) -> None:
    rules = RulesApplied(
        version=3, fired=[0], shadow=[], not_evaluable="", score=0.6,
        words={"policy.burst": "{n} payments in an hour."}, values={"n": 4.0},
    )  # fmt: skip
    made = scored("t-1", outcome="review")
    data = replace(made.data, reasons=["policy.burst", "flag.no_card"], rules=rules)
    raised = alert_of(replace(made, data=data), "tests", NOW)
    assert raised is not None
    receiver = Receiver()
    await Bench.reading(receiver, positions, raised)
    body = json.loads((await receiver.next()).content)
    assert body["why"] == ["4 payments in an hour.", sentence("flag.no_card")]
    assert "told" not in body


async def test_a_suppressed_alert_goes_to_nobody_until_somebody_asks(
    positions: SqliteMemory,
) -> None:
    made = alert("t-1")
    silenced = replace(made, data=replace(made.data, suppressed_by="quiet"))
    receiver = Receiver()
    bench = Bench(receiver, positions)
    await bench.log.append(ALERTS, None, silenced, 0)
    await bench.handler.assign({0})
    await bench.handler.handle([fetched(silenced, alert("t-2"))])
    first = json.loads((await receiver.next()).content)
    assert (first["transaction_id"], first["suppressed_by"]) == ("t-2", None)
    data = AlertResendAsked(alert_id=silenced.id, offset=0)
    asked = replace(silenced, id="asked", data=data, causation_id=None)
    await bench.handler.handle([fetched(asked, first=2)])
    again = json.loads((await receiver.next()).content)
    assert (again["transaction_id"], again["suppressed_by"]) == ("t-1", "quiet")


async def test_an_alert_is_posted_by_id_and_its_delivery_appended(positions: SqliteMemory) -> None:
    receiver = Receiver()
    raised = alert("t-1")
    bench = await Bench.reading(receiver, positions, raised)
    request = await receiver.next()
    assert request.headers["Idempotency-Key"] == raised.id
    body = json.loads(request.content)
    assert body["transaction_id"] == "t-1"
    assert (body["amount"], body["amount_minor"], body["currency"]) == ("12.50", 1250, "EUR")
    assert body["why"] == [sentence(code) for code in body["reasons"]]
    assert all(said.endswith(".") for said in body["why"])
    stated = await bench.delivered()
    assert isinstance(stated.data, AlertDelivered)
    assert (stated.data.alert_id, stated.data.receiver) == (raised.data.alert_id, "hook")
    assert (stated.data.attempts, stated.causation_id) == (1, raised.id)
    assert await bench.handler.assign({0}) == {0: 0}
    await bench.handler.handle([fetched(stated, first=1)])
    assert await bench.handler.assign({0}) == {0: 2}


@pytest.mark.parametrize(("subject", "key"), [("ü/1", "%C3%BC/1"), ("%C3%BC/1", "%25C3%25BC/1")])
async def test_an_id_that_is_no_header_is_escaped(
    positions: SqliteMemory, subject: str, key: str
) -> None:
    receiver = Receiver()
    bench = await Bench.reading(receiver, positions, alert(subject))
    request = await receiver.next()
    assert f"/{key}/" in request.headers["Idempotency-Key"]
    assert json.loads(request.content)["transaction_id"] == subject
    assert (await bench.delivered()).data.transaction_id == subject


async def test_an_alert_about_a_model_is_delivered_as_such(positions: SqliteMemory) -> None:
    data = ModelAlertRaised(
        alert_id="a-1", model_id="m-1", model_hash="h", measure="scores", value=0.4, limit=0.25,
        summary="scores drifted", features=[], since=0, until=NOW,
    )  # fmt: skip
    receiver = Receiver()
    bench = await Bench.reading(receiver, positions, model_alert(data, "tests", NOW))
    request = await receiver.next()
    body = json.loads(request.content)
    assert request.headers["Idempotency-Key"] == "a-1"
    assert (body["type"], body["model_id"]) == ("fraud.model-alert.raised.v1", "m-1")
    stated = await bench.delivered()
    assert stated.data == ModelAlertDelivered(
        alert_id="a-1", model_id="m-1", receiver="hook", attempts=1
    )
    await bench.handler.handle([fetched(stated, model_alert(data, "tests", NOW), first=1)])
    assert receiver.requests.empty()


async def test_it_is_posted_again_until_the_receiver_takes_it(positions: SqliteMemory) -> None:
    receiver = Receiver([500, httpx.ConnectError("refused"), 302])
    bench = await Bench.reading(receiver, positions, alert("t-1"))
    keys = [(await receiver.next()).headers["Idempotency-Key"] for _ in range(4)]
    assert len(set(keys)) == 1
    assert (await bench.delivered()).data.attempts == 4


async def test_a_delivery_is_appended_late_and_not_posted_again(positions: SqliteMemory) -> None:
    receiver = Receiver()
    bench = await Bench.reading(receiver, positions, alert("t-1"), failures=3)
    assert (await bench.delivered()).data.attempts == 1
    assert receiver.requests.qsize() == 1


async def test_the_next_owner_posts_nothing_that_the_one_before_delivered(
    positions: SqliteMemory,
) -> None:
    receiver = Receiver()
    bench = Bench(receiver, positions)
    delivered, still_open = alert("a"), alert("b")
    log = delivered, still_open, receipt(delivered)
    for each in log:
        await bench.log.append(ALERTS, None, each, 0)
    await bench.handler.assign({0})
    for offset, each in enumerate(log):
        await asyncio.sleep(0)
        assert receiver.requests.empty()
        await bench.handler.handle([fetched(each, first=offset)])
    assert (await receiver.next()).headers["Idempotency-Key"] == still_open.id
    assert receiver.requests.empty()


async def test_the_position_stays_below_the_oldest_open_alert(positions: SqliteMemory) -> None:
    receiver = Receiver()
    bench = await Bench.reading(receiver, positions, alert("a"), alert("b"), alert("c"))
    for _ in range(3):
        await receiver.next()
    stated = receipt(alert("a"))
    await bench.handler.handle([fetched(stated, first=3)])
    assert positions.positions() == {0: 1}


async def test_an_alert_read_or_raised_again_is_posted_once(positions: SqliteMemory) -> None:
    receiver = Receiver()
    bench = await Bench.reading(receiver, positions, alert("a"))
    await bench.handler.handle([fetched(alert("a"), alert("a"), alert("b"))])
    posted = {(await receiver.next()).headers["Idempotency-Key"] for _ in range(2)}
    assert posted == {alert("a").id, alert("b").id}
    assert receiver.requests.empty()


async def test_an_alert_of_days_ago_is_not_posted(positions: SqliteMemory) -> None:
    receiver = Receiver()
    await Bench.reading(receiver, positions, alert("old", NOW - WITHIN_US - 1), alert("new"))
    assert (await receiver.next()).headers["Idempotency-Key"] == alert("new").id
    assert receiver.requests.empty()


async def test_an_alert_of_a_day_ago_holds_the_position_no_longer(positions: SqliteMemory) -> None:
    receiver = Receiver([500] * 100_000)
    bench = await Bench.reading(receiver, positions, alert("a"))
    await receiver.next()
    bench.now += WITHIN_US + 1
    async with asyncio.timeout(10):
        while any(bench.handler._lanes["webhook"].open()):
            await receiver.next()
    await bench.handler.handle([fetched(alert("b", NOW), first=1)])
    assert positions.positions() == {0: 2}


async def test_a_revoked_partition_is_delivered_by_another(positions: SqliteMemory) -> None:
    receiver = Receiver([500] * 100_000)
    bench = await Bench.reading(receiver, positions, alert("a"))
    await receiver.next()
    (parcel,) = bench.handler._lanes["webhook"].parcels
    await bench.handler.revoke({0})
    if parcel.task is not None:
        await asyncio.wait({parcel.task}, timeout=10)
        assert parcel.task.cancelled()
    assert not list(bench.handler._lanes["webhook"].open())
