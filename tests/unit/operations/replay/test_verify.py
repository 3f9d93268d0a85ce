"""Replay of decisions: any history is identical, and every planted difference has its cause."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.times import from_rfc3339
from operations.replay import reading
from operations.replay.decided import Decided
from operations.replay.differences import CAUSES, Replayed
from operations.replay.planting import Planter
from operations.replay.verify import Altered, Period, verify
from tests.builders.decisions.history import DecidedHistory, decided_history
from tests.builders.decisions.steps import STEPS, play
from tests.builders.feature_streams import examples


def replayed(history: DecidedHistory, altered: Altered = lambda each: each) -> Replayed:
    return verify(history.ports, Period(), lambda _: None, lambda *_: None, altered)


@given(st.lists(STEPS, max_size=14))
@examples(40)
async def test_the_replay_of_any_history_is_identical(steps: list[tuple[str, Any, Any]]) -> None:
    with decided_history() as history:
        paid = await play(history, steps)
        made = replayed(history)
    assert (made.compared, made.shown) == (paid, [])


EVERYTHING: list[tuple[str, Any, Any]] = [
    ("list", ["card-2"], None),
    ("promote", 0, 0.5),
    ("pay", 300, "card-1"),
    ("rules", 5, None),
    *(("pay", 100 * n, card) for n in range(1, 6) for card in ("card-1", "card-2")),
    ("away", 600, "card-1"),
]


async def test_each_planted_difference_is_told_under_its_cause() -> None:
    with decided_history() as history:
        await play(history, EVERYTHING)
        planter = Planter()
        made = replayed(history, planter)
    assert planter.found(made) == dict.fromkeys(CAUSES, "found")
    assert (made.different, made.compared) == (len(CAUSES), 12)
    assert sum(made.causes.values()) == len(made.shown) == len(CAUSES)


@given(st.permutations(CAUSES), st.integers(0, 4))
@examples(10)
async def test_a_difference_of_any_decision_has_its_cause(causes: list[Any], skipped: int) -> None:
    """Whichever decision it is planted in."""
    with decided_history() as history:
        await play(history, EVERYTHING)
        for cause in causes[:3]:
            planter, seen = Planter(), [0]
            planter.made = {other: "" for other in CAUSES if other != cause}

            def late(each: Decided, planter: Planter = planter, seen: list[int] = seen) -> Decided:
                seen[0] += 1
                return planter(each) if seen[0] > skipped else each

            made = replayed(history, late)
            assert [each.cause for each in made.shown] == [cause], (cause, made.shown)


@pytest.mark.parametrize(
    ("path", "field", "value", "cause"),
    [
        ("full", "features", [], "feature"),
        ("full", "feature_set", "0" * 16, "code"),
        ("full", "policy_version", 99, "event"),
        ("full", "score", 0.123, "model"),
        ("full", "reasons", ["score.unremarkable"], "code"),
        ("fallback", "score", 0.123, "code"),
        ("fallback", "outcome", "decline", "code"),
        ("fallback", "digest", "another", "event"),
    ],
)
async def test_a_record_that_was_altered_is_told(
    path: str, field: str, value: Any, cause: str
) -> None:
    def altered(each: Decided) -> Decided:
        if each.data.path != path:
            return each
        return replace(each, data=replace(each.data, **{field: value}))

    with decided_history() as history:
        history.promote(0, 0.5)
        await history.pay("t-1", 500, "2023-10-01T12:00:00Z", card_id="c-1")
        await history.pay_while_away("t-2", 500, "2023-10-01T12:01:00Z", card_id="c-1")
        made = replayed(history, altered)
    assert {each.cause for each in made.shown} == {cause}
    assert (made.compared, made.different) == (2, 1)


async def test_a_period_and_a_sample_bound_what_is_compared() -> None:
    with decided_history() as history:
        for number in range(20):
            await history.pay(f"t-{number}", 5, f"2023-10-01T12:{number:02}:00Z", card_id="c")
        ports = history.ports
        begin, end = (from_rfc3339(f"2023-10-01T12:{m}:00Z") for m in ("05", "15"))
        period = Period(begin, end)
        made = verify(ports, period, lambda _: None, lambda *_: None)
        some = verify(ports, Period(sample=5), lambda _: None, lambda *_: None)
    assert (made.compared, made.different) == (10, 0)
    assert 0 < some.compared < 20
    assert some.different == 0


async def test_slices_of_time_see_all_that_a_window_can_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each decision in a slice of its own, with payments on both sides of every horizon."""
    monkeypatch.setattr(reading, "IN_SLICE", 1)
    days = ["2023-01-05", "2023-01-06", "2023-04-04", "2023-04-05", "2023-04-06", "2023-07-05"]
    late = ["2023-04-05", "2023-01-04"]
    with decided_history() as history:
        history.promote(0, 0.5)
        for number, day in enumerate(days + late):
            who = {"card_id": "c", "customer_id": "ann", "merchant_id": "m", "country": "DE"}
            await history.pay(f"t-{number}", 90, f"{day}T00:00:00.{number:06}Z", **who)
            history.label(f"t-{number}", number % 2, "c")
        made = replayed(history)
    assert (made.compared, made.shown) == (len(days + late), [])
