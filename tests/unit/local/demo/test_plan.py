"""The times of a demo, and its saved state."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import orjson

from domain.times import DAY, HOUR, from_rfc3339
from local.demo import demo_state
from local.demo.demo_state import DemoState
from local.demo.live.events import LiveLabel, LiveTransaction, simulated_traffic
from local.demo.plan import (
    DemoRequest,
    HistoryPlan,
    live_prefix,
    live_span,
    plan_history,
    plan_live,
)

NOW = from_rfc3339("2026-06-15T09:30:00Z")
REQUEST = DemoRequest(days=20, seconds=10, rate=20)


def small_plan() -> HistoryPlan:
    """Room for 200 transactions of the live part."""
    shape = HistoryPlan(
        start_us=0, id_prefix="demo-1-", days=20, per_day=200.0, customers=60, merchants=20
    )
    return replace(shape, start_us=NOW - live_span(shape, 200) - 20 * DAY)


def traffic(plan: HistoryPlan, count: int, after_us: int = 0, first_day: int = 20) -> list[object]:
    window = plan_live(plan, NOW, count, first_day, after_us)
    return list(islice(simulated_traffic(plan, window, "live-1-"), count))


def test_history_ends_where_the_live_part_begins_and_leaves_it_room() -> None:
    plan = plan_history(NOW, REQUEST)
    assert plan.end_us + live_span(plan, REQUEST.transactions) == NOW
    window = plan_live(plan, NOW, REQUEST.transactions, plan.days, 0)
    assert (window.begin_us, window.shift_us) == (plan.end_us, 0)


def test_live_times_are_between_the_history_and_now_and_rise() -> None:
    plan = small_plan()
    sent = [each for each in traffic(plan, 200) if isinstance(each, LiveTransaction)]
    times = [each.timestamp for each in sent]
    assert times == sorted(times)
    assert plan.end_us <= times[0]
    assert times[-1] <= NOW


def test_traffic_that_takes_longer_than_there_is_room_never_lies_in_the_future() -> None:
    plan = small_plan()
    window = plan_live(plan, NOW, 1_000, 20, 0)
    sent = islice(simulated_traffic(plan, window, "live-1-"), 1_500)
    assert max(e.timestamp for e in sent if isinstance(e, LiveTransaction)) <= NOW


def test_a_later_run_goes_on_where_the_last_one_ended_if_there_is_room() -> None:
    plan = small_plan()
    later = NOW + 10 * DAY
    window = plan_live(plan, later, 200, 22, NOW)
    assert window.begin_us + window.shift_us == NOW
    assert window.shift_us % DAY == 0


def test_a_later_run_without_room_takes_the_last_hours_before_now() -> None:
    plan = small_plan()
    window = plan_live(plan, NOW + HOUR, 200, 22, NOW)
    assert window.begin_us + window.shift_us == NOW + HOUR - live_span(plan, 200)


def test_what_is_sent_is_a_function_of_the_plan_but_for_its_ids() -> None:
    plan = small_plan()
    window = plan_live(plan, NOW, 100, 20, 0)
    first = list(islice(simulated_traffic(plan, window, "live-a-"), 100))
    again = list(islice(simulated_traffic(plan, window, "live-b-"), 100))
    for one, other in zip(first, again, strict=True):
        assert one.body == other.body.replace(b"live-b-", b"live-a-")


def test_live_labels_are_about_the_history_and_the_truth_is_never_sent() -> None:
    plan = small_plan()
    events = traffic(plan, 400)
    labels = [orjson.loads(each.body) for each in events if isinstance(each, LiveLabel)]
    assert labels
    assert all(each["transaction_id"].startswith(plan.id_prefix) for each in labels)
    bodies = [orjson.loads(each.body) for each in events if isinstance(each, LiveTransaction)]
    assert all("fraud" not in key for body in bodies for key in body)


def test_every_run_has_ids_of_its_own() -> None:
    assert live_prefix(NOW) != live_prefix(NOW + 1_000)
    assert plan_history(NOW, REQUEST).id_prefix != plan_history(NOW + DAY, REQUEST).id_prefix


def test_a_saved_state_is_loaded_again(tmp_path: Path) -> None:
    known = DemoState(history=small_plan(), transactions=7, model_id="m", next_day=3)
    demo_state.save(tmp_path, known)
    assert demo_state.load(tmp_path) == known


def test_an_imported_file_leaves_the_state_of_simulated_history(tmp_path: Path) -> None:
    simulated, data = DemoState(history=small_plan()), DemoState(data="file 1", transactions=3)
    demo_state.save(tmp_path, simulated)
    demo_state.save(tmp_path, data)
    assert demo_state.load(tmp_path) == simulated
    assert demo_state.load(tmp_path, of_data=True) == data


def test_a_missing_torn_or_foreign_state_file_loads_as_empty(tmp_path: Path) -> None:
    assert demo_state.load(tmp_path) == DemoState()
    demo_state.save(tmp_path, DemoState(history=small_plan()))
    path = tmp_path / "demo" / "history.json"
    path.write_text(path.read_text()[:-20])
    assert demo_state.load(tmp_path) == DemoState()
    path.write_text('{"of_another_version": 1}')
    assert demo_state.load(tmp_path) == DemoState()
