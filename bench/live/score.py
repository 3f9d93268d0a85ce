"""`POST /score` at fixed rates, with every server and projection running on this machine.

An installation of its own gets some history, so that features are not empty. Then, for each rate
and round: a warm-up that is not counted, the load, and the time until all projections have caught
up with it. Floors are measured on the same servers, in the same run.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from bench.live.costs import milliseconds_each, processor_seconds
from bench.live.floors import floors
from bench.live.load import Generator, offer
from bench.live.profile.run import profile
from eventlog.port import EventLog
from host.clock import now_us
from local.chaos.installation import Installation, open_installation
from local.demo.history import import_history
from local.demo.live.events import LiveTransaction, simulated_traffic
from local.demo.plan import DemoRequest, HistoryPlan, live_prefix, plan_history, plan_live
from local.demo.projection_progress import lags_behind, wait_for_projections
from local.stack.control import Progress
from operations.monitoring.projection_lag import PositionReaders
from runtime.composition.intake import cleaner_of
from runtime.composition.log import open_log
from runtime.composition.positions import open_positions
from runtime.settings import Settings

_IDLE_SECONDS = 10.0
_MODEL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLoad:
    """Requests a second and seconds of each round; `history` are days of a thousand payments.

    With `profile` one more round at each rate is measured step by step.
    """

    rates: Sequence[float]
    seconds: float = 60.0
    warm_up: float = 15.0
    rounds: int = 3
    history: int = 30
    seed: int = 1
    profile: bool = False


def bench_score(load: ScoreLoad, progress: Progress, keep: bool = False) -> dict[str, Any]:
    """The figures. Everything that was started is stopped at the end. Raises StackError."""
    chance = Random(load.seed)
    with (
        open_installation(progress, "", keep) as installation,
        open_log(installation.settings) as log,
        open_positions(installation.settings) as positions,
    ):
        bench = _Bench(installation, log, positions, load, progress, chance)
        bench.import_history()
        found = {str(rate): bench.at(rate) for rate in load.rates}
        steps = {"profile": bench.profile()} if load.profile else {}
        progress.say("floors")
        return {
            "idle_processor_share": bench.idle(),
            "rates": found,
            **steps,
            "floors": floors(
                installation.settings, list(load.rates), min(load.seconds, 15.0), chance
            ),
        }


class _Bench:
    def __init__(
        self,
        installation: Installation,
        log: EventLog,
        positions: PositionReaders,
        load: ScoreLoad,
        progress: Progress,
        chance: Random,
    ) -> None:
        self._installation, self._log, self._positions = installation, log, positions
        self._load, self._progress, self._chance = load, progress, chance
        self._settings: Settings = installation.settings
        most = max(load.rates) * (load.seconds + load.warm_up)
        self._request = DemoRequest(days=load.history, seconds=1.0, rate=max(1.0, most))
        self._plan: HistoryPlan = plan_history(now_us(), self._request)
        self._bodies = self._payments()

    def import_history(self) -> None:
        self._progress.say(f"history of {self._plan.days} days")
        cleaner = cleaner_of(self._settings)
        import_history(self._plan, self._log, cleaner, now_us(), set(), lambda _: None)
        self._rest()

    def at(self, rate: float) -> dict[str, Any]:
        rounds = [self._round(rate, number) for number in range(1, self._load.rounds + 1)]
        return {"rounds": rounds}

    def profile(self) -> dict[str, Any]:
        """Where the time of a decision goes, at each rate."""
        self._progress.say("profile")
        load = self._load
        found = profile(
            self._installation, self._generator, load.rates, load.seconds, load.warm_up,
            self._chance,
        )  # fmt: skip
        self._rest()
        return found

    def idle(self) -> float:
        """The share of a processor that all services take while nothing is sent."""
        before, began = processor_seconds(self._settings), time.monotonic()
        self._installation.wait(_IDLE_SECONDS)
        taken = milliseconds_each(before, processor_seconds(self._settings), 1)["all"] / 1e3
        return round(taken / (time.monotonic() - began), 3)

    def _round(self, rate: float, number: int) -> dict[str, Any]:
        self._progress.say(f"{rate:g}/s, round {number} of {self._load.rounds}")
        generator = self._generator()
        before = processor_seconds(self._settings)
        offered = offer(generator, rate, self._load.seconds, self._chance, self._load.warm_up)
        answered = time.monotonic()
        self._rest()
        projected = time.monotonic() - answered
        # The work of projections that comes after the load belongs to it.
        after = processor_seconds(self._settings)
        count = round(offered.requests * (1 + self._load.warm_up / self._load.seconds))
        decided = len(offered.milliseconds)
        return {
            **offered.facts(),
            "by_the_model": round(offered.told[_MODEL] / max(decided, 1), 5),
            "unflagged": round(offered.told["unflagged"] / max(decided, 1), 5),
            "seconds_until_projected": round(projected, 1),
            "processor_ms_each": milliseconds_each(before, after, count),
        }

    def _generator(self) -> Generator:
        return Generator(self._settings.api_url, "/score", self._bodies, _told)

    def _rest(self) -> None:
        found = partial(lags_behind, self._log, self._positions)
        wait_for_projections(found, lambda _: None, self._settings.state_dir / "logs")

    def _payments(self) -> Iterator[bytes]:
        """Endless: payments of the history's customers, each under an id of its own."""
        for run in itertools.count():
            now = now_us()
            window = plan_live(self._plan, now, self._request.transactions, self._plan.days, 0)
            events = simulated_traffic(self._plan, window, f"{live_prefix(now)}{run}-")
            for event in itertools.islice(events, 10 * self._request.transactions):
                if isinstance(event, LiveTransaction):
                    yield event.body


def _told(decision: dict[str, Any]) -> list[str]:
    """The path, each flag, and whether there was none but of what the payment itself lacks."""
    flags = decision["flags"]
    ours = [flag for flag in flags if not flag.startswith("no_")]
    return [decision["path"], *flags, *([] if ours else ["unflagged"])]
