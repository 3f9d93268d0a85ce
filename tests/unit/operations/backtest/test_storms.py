"""Played alerts: any history goes out as the live agent sends it, and a storm is one page."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from commands.agents.alert_delivery import AlertDelivery, Delivery
from commands.alerts.grouping import next_step
from commands.alerts.message import DIGEST, Message
from commands.alerts.routing import severity_of
from commands.alerts.sending import Answer
from domain.alerts import alert_of
from domain.events import AlertDelivered, Envelope, Route
from domain.policy.snapshot import NO_POLICY
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS
from faults.loop.clock import BEGAN, wall_clock
from faults.loop.seeded_loop import SeededLoop
from operations.backtest.storms.figures import figures_of
from operations.backtest.storms.playing import Told, play
from tests.builders.feature_streams import examples
from tests.builders.workers.pieces import batch
from tests.fakes.events import scored

PAGER = Route(name="pager", to="pagerduty", secret="IT")
# A simulation begins on a Sunday at 15:06:40 UTC.
ROUTES = [
    PAGER,
    replace(PAGER, name="few", at_most=1, severity="high"),
    replace(PAGER, name="each", at_most=0, merchants=["m-1"]),
    replace(PAGER, name="hours", at_most=3, hours="15:07-15:09", days=["sun"], amount=500),
]

Sent = list[tuple[int, int, bool]]
"""(millisecond, alerts, whether it is a digest) of each message."""


def alerts_at(milliseconds: Sequence[int]) -> list[Envelope]:
    """Of two merchants, of some amounts, every other one declined."""
    found = []
    for number, at in enumerate(milliseconds):
        outcome = "decline" if number % 2 else "review"
        alert = alert_of(scored(f"t-{number}", outcome=outcome), "tests", BEGAN + 1000 * at)
        assert alert is not None
        merchant, amount = f"m-{number % 3}", 100 * (number % 11)
        data = replace(alert.data, merchant_id=merchant, base_amount=amount)
        found.append(replace(alert, data=data))
    return found


class Desk:
    """Takes everything at once; `sent` is by route."""

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop
        self.sent: dict[str, Sent] = {}

    async def send(self, route: Route, message: Message) -> Answer:
        digest = message.body["type"] == DIGEST
        number = message.body["alerts"] if digest else 1
        at = round(1000 * self._loop.time())
        self.sent.setdefault(route.name, []).append((at, number, digest))
        return Answer(True, "taken")


def live(alerts: Sequence[Envelope], routes: Sequence[Route], stirs: Sequence[int]) -> Desk:
    """By the agent itself, which reads each alert as it is raised; it is stirred at other times."""
    loop = SeededLoop(Random(1))
    desk = Desk(loop)
    clock = wall_clock(loop)

    async def main() -> None:
        policy = replace(NO_POLICY, routes=tuple(routes))
        delivery = Delivery(desk, lambda: policy)  # type: ignore[arg-type]
        agent = AlertDelivery(InMemoryEventLog(), SqliteMemory(None), delivery, "tests", clock)
        await agent.assign(set(range(ALERTS.partitions)))
        moments = [(each.known_time - BEGAN, each) for each in alerts]
        moments += [
            (1000 * at, stirring(name, at)) for at in stirs for name in (r.name for r in routes)
        ]
        for offset, (at, fact) in enumerate(sorted(moments, key=lambda each: each[0])):
            await asyncio.sleep(at / 1e6 - loop.time())
            await agent.handle([batch([fact], first=offset, topic=ALERTS)])
        await asyncio.sleep(200)

    try:
        loop.run_until_complete(main())
    finally:
        loop.bury()
    return desk


def stirring(route: str, at: int) -> Envelope:
    """That another alert was delivered: the route is looked at anew."""
    data = AlertDelivered(
        alert_id=f"none-{at}", transaction_id="none", receiver="r", attempts=1, route=route
    )
    return replace(scored("none"), id=f"{route}-{at}", data=data, known_time=BEGAN)


def played(alerts: Sequence[Envelope], routes: Sequence[Route]) -> dict[str, Sent]:
    told = [Told(each, severity_of(each, ()), routes) for each in alerts]
    made = play(told, {route.name: [(0, route)] for route in routes})
    return {
        each.route.name: [
            ((each.began - BEGAN) // 1000 + round(1000 * m.at), m.number, m.digest)
            for m in each.sent
        ]
        for each in made
        if each.sent
    }


BURSTS = st.lists(st.tuples(st.integers(0, 70), st.integers(1, 14)), min_size=1, max_size=8)


@given(BURSTS, st.lists(st.integers(1, 300), max_size=6))
@examples(25)
def test_any_history_is_played_as_the_live_agent_sends_it(
    bursts: list[tuple[int, int]], stirs: list[int]
) -> None:
    """Whole seconds apart but for a millisecond of each its own, so that none meets a deadline."""
    second, moments = 0, list[int]()
    for pause, number in bursts:
        second += pause
        moments += [1000 * second + len(moments) + n for n in range(number)]
    alerts = alerts_at(sorted(moments))
    assert played(alerts, ROUTES) == live(alerts, ROUTES, stirs).sent


@given(
    st.integers(1, 30), st.integers(1, 12),
    st.lists(st.floats(-59, 0), max_size=12), st.floats(0, 65), st.integers(0, 10),
)  # fmt: skip
def test_what_waits_waits_until_then_however_many_come(
    waiting: int, at_most: int, sent: list[float], now: float, more: int
) -> None:
    step = next_step(waiting, 0.0, at_most, sent, now)
    if step.what == "wait":
        assert step.look > now
        for share in (0.0, 0.5, 0.999):
            between = now + share * (step.look - now)
            assert next_step(waiting + more, 0.0, at_most, sent, between).what == "wait"
        assert next_step(waiting, 0.0, at_most, sent, step.look).what != "wait" or step.look < 3
    assert next_step(waiting, 0.0, at_most, sent, 60.0).what != "wait"


def test_ten_thousand_alerts_in_a_minute_are_one_page_with_their_number() -> None:
    alerts = alerts_at([6 * number for number in range(10_000)])
    told = [Told(each, severity_of(each, ()), [PAGER]) for each in alerts]
    figures = figures_of(told, play(told, {"pager": [(0, PAGER)]}))
    (route,) = figures["routes"]
    assert (route["messages"], route["digests"], route["largest_digest"]) == (1, 1, 10_000)
    assert (route["alerts"], route["dropped"], route["in_digests"]) == (10_000, 0, 10_000)
    assert route["waited_seconds"]["longest"] == 60.0
    assert 0.006 <= 60 - route["waited_seconds"]["median"] <= 30.1
    assert figures["busiest"]["hour"] == {"begins": "2025-06-15T15:00:00Z", "number": 10_000}
    assert route["busiest"]["minute"]["number"] == 1


def test_a_route_that_is_withdrawn_takes_nothing_and_drops_what_waits() -> None:
    alerts = alerts_at([0, 90_000, 100_000])
    gone = BEGAN + 1_000_000
    told = [Told(each, "high", [PAGER] if each.known_time < gone else []) for each in alerts]
    later = replace(PAGER, at_most=5)
    told[2] = replace(told[2], routes=[later])
    changes = {"pager": [(0, PAGER), (gone, None), (BEGAN + 95_000_000, later)]}
    (route,) = figures_of(told, play(told, changes))["routes"]
    assert (route["alerts"], route["dropped"], route["messages"]) == (2, 1, 1)
    assert (route["at_most"], route["waited_seconds"]["longest"]) == (5, 2.0)
