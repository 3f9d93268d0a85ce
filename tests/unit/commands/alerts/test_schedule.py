"""Schedule of a route: pauses, the breaker, room within a minute."""

from hypothesis import given
from hypothesis import strategies as st

from commands.alerts.grouping import Step
from commands.alerts.schedule import LONGEST_PAUSE, TRIPS_AFTER, Schedule, pause_after
from commands.alerts.sending import Answer

DOWN = Answer(False, "answered 500")


@given(st.integers(1, 200), st.text())
def test_a_pause_doubles_up_to_a_minute_and_is_spread_by_the_key(attempts: int, key: str) -> None:
    whole = min(2.0 ** (attempts - 1), LONGEST_PAUSE)
    assert whole / 2 <= pause_after(attempts, 1.0, key) <= whole
    assert pause_after(attempts, 1.0, key) == pause_after(attempts, 1.0, key)


def test_keys_do_not_all_come_back_at_once() -> None:
    assert len({pause_after(3, 1.0, str(each)) for each in range(100)}) == 100


def test_failures_in_a_row_trip_the_route_until_one_is_taken() -> None:
    schedule = Schedule()
    for number in range(TRIPS_AFTER):
        assert not schedule.tripped
        schedule.failed(float(number), "k", 1, DOWN)
    assert schedule.tripped
    assert 0.5 <= schedule.closed_until - (TRIPS_AFTER - 1) <= 1.0
    for number in range(20):
        schedule.failed(100.0 * number, "k", 1, DOWN)
    assert 30 <= schedule.closed_until - 1900.0 <= LONGEST_PAUSE
    schedule.taken()
    assert (schedule.tripped, schedule.closed_until) == (False, 0.0)


def test_a_refused_message_trips_nothing_and_waits_alone() -> None:
    schedule = Schedule()
    for attempts in range(1, 20):
        due = schedule.failed(0.0, "k", attempts, Answer(False, "answered 400", refused=True))
        assert due > 0
    assert (schedule.tripped, schedule.closed_until) == (False, 0.0)


def test_what_the_receiver_asks_for_closes_the_route() -> None:
    schedule = Schedule()
    due = schedule.failed(10.0, "k", 1, Answer(False, "answered 429", 90.0))
    assert due == schedule.closed_until == 100.0


def test_a_message_takes_room_once_however_often_it_is_tried() -> None:
    schedule = Schedule()
    for key, now in (("a", 0.0), ("a", 5.0), ("b", 10.0)):
        schedule.begun(key, now)
    assert schedule.next_step(1, 50.0, 3, 59.0) == Step("alone")
    assert schedule.next_step(2, 50.0, 3, 59.0) == Step("wait", 60.0)
    assert schedule.next_step(2, 50.0, 3, 60.0) == Step("alone")
    assert schedule.next_step(4, 50.0, 3, 60.0) == Step("wait", 110.0)
    assert schedule.next_step(4, 50.0, 3, 110.0) == Step("digest")
