"""Turns of the scheduled replay: one of several hosts has each, and what is found is told."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text

from domain.events import Envelope
from domain.times import DAY, HOUR, MINUTE
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS, TRANSACTIONS
from operations.replay.scheduled.child import NotProven, Proven
from operations.replay.scheduled.monitor import ReplayMonitor, Rhythm
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.replay_checks import Checked, begin, begun, end, failing
from tests.builders.read_model_facts import NOON
from tests.fakes.events import scored

EVERY, DEAD = 6 * HOUR, 20 * MINUTE


def test_of_hosts_that_ask_at_once_one_gets_the_turn(engine: Engine) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as first:
            assert begun(first, NOON, 5, EVERY, DEAD) == 1
            second = pool.submit(begin, engine, NOON, 5, EVERY, DEAD)
            while not first.scalar(waiting):
                assert not second.done()
        assert second.result() is None


def test_a_turn_is_due_where_something_came_and_the_last_one_is_over(engine: Engine) -> None:
    assert begin(engine, NOON, 5, EVERY, DEAD) == 1
    assert ReadModels(engine).replay_check() is None
    # It runs, or its process is dead.
    assert begin(engine, NOON + EVERY - 1, 9, EVERY, DEAD) is None
    assert begin(engine, NOON + EVERY, 5, EVERY, DEAD) == 2
    end(engine, Checked(2, 200, 3, "3 feature"), NOON + EVERY + MINUTE)
    later = NOON + 2 * EVERY
    assert begin(engine, later - 1, 9, EVERY, DEAD) is None
    # Nothing came: all there is counts as proven until now.
    assert begin(engine, later, 5, EVERY, DEAD) is None
    newest = ReadModels(engine).replay_check()
    assert newest is not None
    assert (newest.compared, newest.different, newest.proven_time) == (200, 3, later)
    assert begin(engine, later + EVERY, 6, EVERY, DEAD) == 3


class Watched:
    """A monitor, what it is told, and the alerts in its log."""

    def __init__(self, engine: Engine, *answers: Proven | NotProven) -> None:
        self.log, self.now, self.asked = InMemoryEventLog(), NOON, list[int]()
        self._answers = list(answers)
        rhythm = Rhythm(6.0, 200, 600.0)
        self.monitor = ReplayMonitor(
            self.log, engine, self._prove, rhythm, "tests", lambda: self.now
        )
        self.step: Callable[[], Awaitable[Checked | None]] = self.monitor.step

    async def _prove(self, turn: int) -> Proven | NotProven:
        self.asked.append(turn)
        return self._answers.pop(0)

    def pay(self) -> None:
        name = f"t-{self.now}"
        self.log.append_nowait(TRANSACTIONS, name, scored(name))

    @property
    def alerts(self) -> list[Envelope]:
        return [decode(recorded.value) for recorded in self.log.read(ALERTS)]


async def test_what_differs_is_told_once_a_day_with_the_command_that_shows_it(
    engine: Engine,
) -> None:
    it = Watched(engine, Proven(200, 0), Proven(180, 3, {"model": 1, "feature": 2}))
    for _ in range(4):
        it.pay()
        await it.step()
        await it.step()
        it.now += 3 * HOUR
    assert it.asked == [1, 2]
    (alert,) = it.alerts
    assert (alert.data.model_id, alert.data.measure, alert.data.value) == ("retrace", "replay", 3)
    assert alert.data.summary == (
        "3 of 180 past decisions do not follow from the log (2 feature, 1 model):"
        " retrace replay verify --sample 200 --turn 2"
    )


async def test_that_no_turn_is_proven_is_told_after_a_day_and_not_before(engine: Engine) -> None:
    it = Watched(engine, Proven(9, 0), *[NotProven("kafka is away")] * 6, Proven(9, 0))
    for number in range(8):
        it.pay()
        await it.step()
        assert bool(it.alerts) == (number >= 5)
        it.now += 6 * HOUR
    alert = it.alerts[0].data
    assert (alert.measure, alert.limit) == ("replay_fails", 24)
    assert alert.summary == "no past decision was proven for 24 hours: kafka is away"
    assert failing(engine).number == 0


async def test_a_turn_that_died_is_another_one_s_after_a_while(engine: Engine) -> None:
    begin(engine, NOON - DAY, 0, EVERY, DEAD)
    it = Watched(engine, Proven(9, 0))
    it.pay()
    assert await it.step() == Checked(2, 9, 0)
    assert it.alerts == []
