"""The scheduled proof: every decision gets its turn, in a child that gives way and has bounds."""

import json
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from api.replay_metrics import ReplayCollector
from commands.alerts.message import of_alert
from domain.events import ModelAlertRaised
from domain.model_alerts import SYSTEM, model_alert
from domain.times import DAY, from_rfc3339
from operations.replay.planting import Planter
from operations.replay.reading import sampled
from operations.replay.scheduled.child import Bounds, NotProven, Proven, command_of, prove
from operations.replay.scheduled.turns import periods_of, verify_turn
from projections.readmodels.queries.results import ReplayCheck
from tests.builders.decisions.history import DecidedHistory, decided_history

WIDE = Bounds(60.0, 1 << 40)


@given(st.sets(st.integers(0, 300), max_size=9).map(sorted), st.integers(0, 10_000))
def test_every_day_gets_its_turn_and_the_newest_one_each_time(days: list[int], turn: int) -> None:
    seen: Counter[int] = Counter()
    for number in range(max(len(days) - 1, 1)):
        periods = periods_of(days, turn + number, 200)
        chosen = [each.begin // DAY for each in periods if each.begin is not None]
        assert chosen[-1:] == days[-1:]
        assert [each.sample for each in periods] == [200 // max(len(periods), 1)] * len(periods)
        seen.update(chosen)
    assert sorted(seen) == days


def test_with_each_turn_other_decisions_are_chosen() -> None:
    names = [f"t-{number}" for number in range(1000)]
    chosen = [{n for n in names if sampled(100, 1000, salt)(n)} for salt in ("1", "2", "1")]
    assert chosen[0] == chosen[2] != chosen[1]
    assert all(60 < len(each) < 140 for each in chosen)


def _say(_step: str) -> None:
    """Nobody listens."""


def _count(_done: int, _of: int | None) -> None:
    """Nobody looks."""


async def _decided(history: DecidedHistory) -> None:
    history.promote(0, 0.5)
    for day in ("26", "27", "29"):
        for number in range(4):
            await history.pay(
                f"t-{day}-{number}", 500, f"2023-09-{day}T12:0{number}:00Z", card_id="c"
            )


async def test_a_turn_is_of_two_days_and_finds_what_was_altered() -> None:
    with decided_history() as history:
        await _decided(history)
        clean = verify_turn(history.ports, 1, 100, _say, _count)
        planted = verify_turn(history.ports, 1, 100, _say, _count, Planter())
    days = [from_rfc3339(f"2023-09-{day}T00:00:00Z") for day in ("27", "29")]
    assert [each.begin for each in clean.periods] == days
    assert (clean.made.compared, clean.made.different) == (8, 0)
    assert planted.made.different == sum(planted.made.causes.values()) > 4
    assert len(planted.made.shown) == planted.made.different


def _says(found: object) -> list[str]:
    return [sys.executable, "-c", f"print({json.dumps(json.dumps(found))})"]


async def test_the_child_says_what_it_found_or_why_it_found_nothing() -> None:
    found = {"compared": 9, "different": 2, "causes": {"feature": 2}}
    assert await prove(_says(found), WIDE) == Proven(9, 2, {"feature": 2})
    assert await prove(["/nonexistent/python"], WIDE) == NotProven(
        "[Errno 2] No such file or directory: '/nonexistent/python'"
    )
    assert command_of(7, 50)[-5:] == ["--sample", "50", "--turn", "7", "--json"]


@pytest.mark.parametrize(
    ("does", "bounds", "reason"),
    [
        ("import time; time.sleep(600)", Bounds(0.1, 1 << 40), "it took more than 0.00166667 min"),
        ("import time; time.sleep(600)", Bounds(60.0, 1 << 20), "it took more than 1 MB of memory"),
        ("raise SystemExit('looking\\nretrace: kafka is away')", WIDE, "kafka is away"),
    ],
)
async def test_a_child_that_is_over_a_bound_is_ended(
    does: str, bounds: Bounds, reason: str
) -> None:
    found = await prove([sys.executable, "-c", does], bounds)
    assert isinstance(found, NotProven)
    assert found.reason.startswith(reason)


def test_metrics_show_the_newest_turn_and_nothing_before_it() -> None:
    registry, replay = CollectorRegistry(), ReplayCollector()
    registry.register(replay)
    assert generate_latest(registry) == b""
    replay.newest = ReplayCheck(turn=3, compared=200, different=2, proven_time=5_000_000)
    text = generate_latest(registry).decode()
    assert "retrace_replay_decisions_compared 200.0" in text
    assert "retrace_replay_decisions_different 2.0" in text
    assert "retrace_replay_proven_seconds 5.0" in text


def test_an_alert_about_the_system_names_no_model() -> None:
    data = ModelAlertRaised(
        alert_id="a", model_id=SYSTEM, model_hash="", measure="replay", value=2, limit=0,
        summary="2 of 200 differ", features=[], since=0, until=0,
    )  # fmt: skip
    message = of_alert(model_alert(data, "tests", 0), "high", "a")
    assert message.title == "Retrace: 2 of 200 differ"
    assert "model" not in message.facts
