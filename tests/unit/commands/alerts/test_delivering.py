"""Delivery by routes in virtual time: storms, receivers that fail, agents that die."""

import asyncio
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.alerts.message import DIGEST
from commands.alerts.sending import Answer
from domain.events import AlertDelivered, AlertDeliveryFailed, AlertsGathered, Envelope
from eventlog.topics import ALERTS
from operations.alerts import ask_again
from tests.unit.commands.alerts.delivering import ROUTE, World, run

DOWN = Answer(False, "connection refused")


def test_a_few_alerts_go_out_each_alone_within_seconds() -> None:
    async def main(world: World) -> None:
        world.start()
        raised = [await world.raise_alert() for _ in range(3)]
        await asyncio.sleep(3)
        assert set(world.desk.taken) == {each.id for each in raised}
        delivered = world.facts(AlertDelivered)
        assert {each.alert_id for each in delivered} == {each.id for each in raised}
        assert {(each.route, each.receiver) for each in delivered} == {
            ("pager", "events.pagerduty.com")
        }

    run(main)


def test_ten_thousand_alerts_in_a_minute_page_once_with_their_number() -> None:
    async def main(world: World) -> None:
        world.start()
        for _ in range(100):
            await asyncio.gather(*(world.raise_alert() for _ in range(100)))
            await asyncio.sleep(0.58)
        await asyncio.sleep(30)
        ((_, message),) = world.desk.taken.values()
        assert (message.body["type"], message.body["alerts"]) == (DIGEST, 10_000)
        assert message.title == "10000 alerts at once: 10000 declined"
        delivered = world.facts(AlertDelivered)
        assert len({each.alert_id for each in delivered}) == len(delivered) == 10_000
        assert len(world.facts(AlertsGathered)) == 4
        assert world.memory.positions() == dict(enumerate(await world.log.ends(ALERTS)))

    run(main)


def test_over_the_limit_a_minute_sends_no_more_than_it_and_a_digest() -> None:
    async def main(world: World) -> None:
        world.start()
        for _ in range(120):
            await world.raise_alert()
            await asyncio.sleep(1)
        await asyncio.sleep(120)
        times = [at for at, _ in world.desk.taken.values()]
        assert max(sum(at <= other < at + 60 for other in times) for at in times) <= 11
        assert world.desk.alerts() == 120

    run(main)


def test_a_receiver_that_is_away_is_tried_by_one_message_at_a_time() -> None:
    async def main(world: World) -> None:
        world.start()
        world.desk.trouble = lambda: DOWN
        for _ in range(8):
            await world.raise_alert()
        await asyncio.sleep(1800)
        tries = len(world.desk.tries)
        assert 8 + 1800 / 60 <= tries <= 8 + 1800 / 30 + 8
        failed = world.facts(AlertDeliveryFailed)
        assert {each.failures for each in failed} == set(range(1, tries + 1))
        world.desk.trouble = lambda: None
        await asyncio.sleep(61)
        assert len(world.desk.taken) == 8

    run(main)


def test_what_asks_to_wait_is_left_alone_for_so_long() -> None:
    async def main(world: World) -> None:
        world.start()
        world.desk.answers = [Answer(False, "answered 429", 30.0)]
        await world.raise_alert()
        await asyncio.sleep(3)
        await world.raise_alert()
        await asyncio.sleep(60)
        first, *others = [at for at, _ in world.desk.tries]
        assert len(others) == 2
        assert min(others) >= first + 30

    run(main)


def test_a_message_that_is_refused_holds_up_no_other() -> None:
    async def main(world: World) -> None:
        world.start()
        await world.raise_alert()
        await asyncio.sleep(2.05)
        bad = world.desk.tries[0][1] if world.desk.tries else ""
        world.desk.taken.clear()
        world.desk.trouble = lambda: (
            Answer(False, "answered 400", refused=True) if world.desk.tries[-1][1] == bad else None
        )
        assert bad
        for _ in range(30):
            await world.raise_alert()
            await asyncio.sleep(10)
        assert world.desk.alerts() >= 29

    run(main)


def test_another_agent_goes_on_with_the_pause_that_the_first_one_began() -> None:
    async def main(world: World) -> None:
        world.start()
        world.desk.answers = [Answer(False, "answered 503", 300.0)]
        await world.raise_alert()
        await asyncio.sleep(5)
        world.start()
        await asyncio.sleep(285)
        assert len(world.desk.tries) == 1
        await asyncio.sleep(30)
        assert len(world.desk.tries) == 2
        assert [each.attempts for each in world.facts(AlertDelivered)] == [2]

    run(main)


def test_a_digest_whose_answer_is_lost_is_the_same_for_the_next_agent() -> None:
    async def main(world: World) -> None:
        world.start()
        world.desk.answers = [Answer(False, "lost")] * 3
        for _ in range(50):
            await world.raise_alert()
        await asyncio.sleep(61)
        assert world.desk.alerts() == 50
        world.start()
        for _ in range(50):
            await world.raise_alert()
        await asyncio.sleep(200)
        assert [m.body["alerts"] for _, m in world.desk.taken.values()] == [50, 50]

    run(main)


def test_an_alert_that_is_asked_for_again_goes_out_under_another_key() -> None:
    async def main(world: World) -> None:
        world.start()
        alert = await world.raise_alert()
        await asyncio.sleep(3)
        place = next(
            (each.position.partition, each.position.offset) for each in world.log.read(ALERTS)
        )
        await ask_again(world.log, alert.id, place)
        await asyncio.sleep(3)
        keys = list(world.desk.taken)
        assert keys[0] == alert.id
        assert keys[1].startswith(f"{alert.id}/fraud.alert.resend-asked/")
        world.start()
        await asyncio.sleep(100)
        assert list(world.desk.taken) == keys
        assert [each.key for each in world.facts(AlertDelivered)] == ["", keys[1]]

    run(main)


def test_who_asks_for_what_is_not_there_stops_nobody() -> None:
    async def main(world: World) -> None:
        world.start()
        await ask_again(world.log, "nothing", (0, 77))
        await world.raise_alert()
        await asyncio.sleep(3)
        assert world.desk.alerts() == 1

    run(main)


def test_routes_take_what_they_name_and_a_new_one_nothing_of_before() -> None:
    async def main(world: World) -> None:
        world.start()
        await world.raise_alert()
        await asyncio.sleep(3)
        late = replace(ROUTE, name="late", merchants=["m-9"], since=world.clock())
        world.publish(ROUTE, late)
        world.start()
        await world.raise_alert(merchant_id="m-9")
        await asyncio.sleep(3)
        by_route = [each.route for each in world.facts(AlertDelivered)]
        assert sorted(by_route) == ["late", "pager", "pager"]
        world.publish()
        await world.raise_alert()
        await asyncio.sleep(100)
        assert len(world.facts(AlertDelivered)) == 3

    run(main)


def test_what_waits_for_a_route_that_is_withdrawn_is_dropped() -> None:
    async def main(world: World) -> None:
        world.start()
        world.desk.trouble = lambda: DOWN
        await world.raise_alert()
        await asyncio.sleep(10)
        world.publish()
        await asyncio.sleep(100)
        tries = len(world.desk.tries)
        await asyncio.sleep(1000)
        assert len(world.desk.tries) == tries

    run(main)


def test_after_a_day_an_alert_is_given_up_and_the_log_says_so() -> None:
    async def main(world: World) -> None:
        world.start()
        world.desk.trouble = lambda: DOWN
        await world.raise_alert()
        await asyncio.sleep(10)
        world.loop.skipped = 86_400.0
        await asyncio.sleep(60)
        last = world.facts(AlertDeliveryFailed)[-1]
        assert last.given_up
        tries = len(world.desk.tries)
        await asyncio.sleep(1000)
        assert len(world.desk.tries) == tries

    run(main)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32), at_most=st.sampled_from([0, 3, 10]))
def test_whatever_dies_every_alert_is_delivered_once_under_one_key(seed: int, at_most: int) -> None:
    async def main(world: World) -> None:
        chance = world.loop.chance
        world.desk.trouble = lambda: chance.choice(
            [None, None, DOWN, Answer(False, "lost"), Answer(False, "answered 429", 5.0)]
        )
        raised: list[Envelope] = []
        for _ in range(chance.randint(2, 6)):
            world.start()
            for _ in range(chance.randint(1, 4)):
                count = chance.choice([1, 2, 15])
                raised += [await world.raise_alert() for _ in range(count)]
                await asyncio.sleep(chance.uniform(0.01, 30))
        world.desk.trouble = lambda: None
        world.start()
        await asyncio.sleep(300)
        delivered = world.facts(AlertDelivered)
        assert {each.alert_id for each in delivered} == {each.id for each in raised}
        told = {each.key or each.alert_id for each in delivered}
        assert told == set(world.desk.taken)
        assert world.desk.alerts() == len(raised)

    run(main, seed, replace(ROUTE, at_most=at_most))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32), at_most=st.sampled_from([0, 3, 10]))
def test_wherever_partitions_move_nothing_is_lost_and_no_key_comes_with_other_alerts(
    seed: int, at_most: int
) -> None:
    async def main(world: World) -> None:
        chance = world.loop.chance
        world.desk.trouble = lambda: chance.choice([None, None, DOWN, Answer(False, "lost")])
        world.start("one", {0, 1})
        world.start("two", {2, 3})
        raised: list[Envelope] = []
        for _ in range(chance.randint(2, 8)):
            count = chance.choice([1, 2, 15])
            raised += [await world.raise_alert() for _ in range(count)]
            await asyncio.sleep(chance.uniform(0.01, 40))
            mine = {each for each in range(4) if chance.random() < 0.5}
            world.wanted |= {"one": mine, "two": {0, 1, 2, 3} - mine}
            if chance.random() < 0.3:
                world.start("two", world.wanted["two"])
        world.desk.trouble = lambda: None
        await asyncio.sleep(400)
        delivered = world.facts(AlertDelivered)
        assert {each.alert_id for each in delivered} == {each.id for each in raised}
        assert {each.key or each.alert_id for each in delivered} <= set(world.desk.taken)
        assert world.desk.alerts() >= len(raised)
        if not at_most:
            assert set(world.desk.taken) == {each.id for each in raised}

    run(main, seed, replace(ROUTE, at_most=at_most))
