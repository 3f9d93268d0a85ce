"""Back-pressure of an import, over a log whose readers and decisions are played."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.imports.flow.back_pressure import AT_ONCE, BackPressure, LiveDecisions, Load, limit_of
from tests.builders.feature_streams import examples

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
IDLE = LiveDecisions(1_000, {0.005: 500, 0.01: 990, 0.025: 1_000, 0.05: 1_000, 0.1: 1_000})


@dataclass
class Played:
    """The readers take `speed` records between two looks. A decision is made at each look where
    `live`; it is late while more than `bearable` records are unread."""

    speed: int
    live: bool = False
    bearable: int = 1 << 60
    appended: int = 0
    read: int = 0
    waits: int = 0
    pauses: int = 0
    portion: int = 0
    greatest: int = 0
    greatest_portion: int = 0
    made: int = 0
    late: int = 0
    windows: list[int] = field(default_factory=list)

    def look(self) -> Load:
        unread = self.appended - self.read
        self.made += self.live
        self.late += self.live and unread > self.bearable
        count = IDLE.count + self.made
        within = {
            bound: at + self.made - (self.late if bound < 0.25 else 0)
            for bound, at in IDLE.within.items()
        }
        return Load(unread, unread, LiveDecisions(count, within) if self.live else None)

    def wait(self, seconds: float) -> None:
        self.pauses += 1
        self.portion = 0
        if seconds >= 0.1:
            self.waits += 1
            self.read = min(self.appended, self.read + self.speed)

    def imported(self, rows: int, most: int) -> "Played":
        hold = BackPressure(self.look, self.wait, most)
        for _ in range(rows // AT_ONCE):
            hold(AT_ONCE)
            self.windows.append(hold.window)
            self.appended += AT_ONCE
            self.portion += AT_ONCE
            self.greatest_portion = max(self.greatest_portion, self.portion)
            self.greatest = max(self.greatest, self.appended - self.read)
        return self


@examples(50)
@given(st.integers(1, 5_000), st.integers(AT_ONCE, 40_000))
def test_no_reader_is_further_behind_than_it_may_be(speed: int, most: int) -> None:
    played = Played(speed).imported(100_000, most)
    assert played.greatest <= most
    assert played.appended == 100_000


def test_nobody_is_waited_for_where_nothing_bounds_it_and_nobody_decides() -> None:
    assert Played(1).imported(1_000_000, 0).pauses == 0


def test_a_decision_never_lands_behind_more_than_a_portion() -> None:
    played = Played(1_000, live=True).imported(100_000, 0)
    assert played.greatest_portion == AT_ONCE


def test_features_stay_close_while_decisions_are_made() -> None:
    played = Played(1_000, live=True).imported(500_000, 0)
    assert played.greatest <= 50_000
    assert max(played.windows) == 50_000


def test_decisions_that_come_late_halve_the_window_until_they_are_in_time() -> None:
    played = Played(1_000, live=True, bearable=9_000).imported(2_000_000, 0)
    assert min(played.windows) <= 9_000
    # As many as its budget allows, and those by which it finds out.
    assert played.late <= 0.02 * played.made + 20


def test_an_import_goes_on_at_full_speed_once_nobody_asks_any_more() -> None:
    played = Played(100, live=True)
    hold, before = BackPressure(played.look, played.wait, 0), 0
    for n in range(200_000 // AT_ONCE):
        if n == 100_000 // AT_ONCE:
            played.live, before = False, played.waits
        hold(AT_ONCE)
        played.appended += AT_ONCE
    assert before > 0
    assert played.waits - before <= 20


def test_a_process_that_was_started_again_is_judged_anew() -> None:
    looks = iter([LiveDecisions(500, {0.1: 500}), LiveDecisions(3, {0.1: 0})])
    latest = LiveDecisions(4, {0.1: 1})
    hold = BackPressure(lambda: Load(0, 0, next(looks, latest)), lambda _: None, 0)
    first = hold.window
    for _ in range(40_000 // AT_ONCE):
        hold(AT_ONCE)
    assert hold.window == first * 5 // 4


@pytest.mark.parametrize(
    ("within", "limit"),
    [
        # p99 of 10 ms: twice of it is 20, and no bound lies between 10 and that.
        ({0.005: 500, 0.01: 990, 0.025: 1_000}, 0.01),
        ({0.005: 0, 0.01: 0, 0.025: 998, 0.05: 1_000, 0.1: 1_000}, 0.025),
        ({0.005: 0, 0.01: 0, 0.025: 100, 0.05: 990, 0.1: 1_000}, 0.1),
        ({0.005: 0, 0.01: 0, 0.025: 0, 0.05: 0, 0.1: 0}, 0.1),
    ],
)
def test_twice_the_idle_p99_is_the_limit(within: dict[float, int], limit: float) -> None:
    assert limit_of(LiveDecisions(1_000, within)) == limit


def test_without_enough_decisions_before_it_the_objective_is_the_limit() -> None:
    assert limit_of(LiveDecisions(99, {0.005: 99})) == 0.1
