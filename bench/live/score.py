"""`POST /score` at fixed rates, with every server and projection running on this machine.

An installation of its own gets some history, so that features are not empty. Then, for each rate
and round: a warm-up that is not counted, the load, and the time until all projections have caught
up with it. Floors are measured on the same servers, in the same run.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any

from bench.live.costs import milliseconds_each, processor_seconds
from bench.live.floors import floors
from bench.live.load import offer
from bench.live.profile.run import profile
from bench.live.traffic import MODEL, Traffic
from commands.policy.topic import current_policy
from local.chaos.installation import open_installation
from local.stack.control import Progress
from operations.policy.publishing import DEFAULT_FOLDER
from runtime.composition.log import open_log
from runtime.composition.models import open_publisher
from runtime.composition.positions import open_positions

_IDLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLoad:
    """Requests a second and seconds of each round; `history` are days of a thousand payments.

    With `profile` one more round at each rate is measured step by step. With `default_policy` each
    round has a second one, with the policy that ships in force.
    """

    rates: Sequence[float]
    seconds: float = 60.0
    warm_up: float = 15.0
    rounds: int = 3
    history: int = 30
    seed: int = 1
    profile: bool = False
    default_policy: bool = False


def bench_score(load: ScoreLoad, progress: Progress, keep: bool = False) -> dict[str, Any]:
    """The figures. Everything that was started is stopped at the end. Raises StackError."""
    chance = Random(load.seed)
    most = max(load.rates) * (load.seconds + load.warm_up)
    with (
        open_installation(progress, "", keep) as installation,
        open_log(installation.settings) as log,
        open_positions(installation.settings) as positions,
    ):
        traffic = Traffic(installation, log, positions, progress, load.history, most)
        bench = _Bench(traffic, load, chance)
        traffic.import_history()
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
    def __init__(self, traffic: Traffic, load: ScoreLoad, chance: Random) -> None:
        self._traffic, self._load, self._chance = traffic, load, chance
        self._settings, self._progress = traffic.settings, traffic.progress

    def at(self, rate: float) -> dict[str, Any]:
        """Rounds with the default policy come in turns with those without, so that what else the
        machine does meets both alike."""
        rounds, ruled = [], []
        for number in range(1, self._load.rounds + 1):
            rounds.append(self._round(rate, f"round {number} of {self._load.rounds}"))
            if self._load.default_policy:
                with self._default_policy():
                    ruled.append(self._round(rate, f"round {number} with the default policy"))
        if not ruled:
            return {"rounds": rounds}
        return {"rounds": rounds, "default_policy": {"rounds": ruled, **_compared(rounds, ruled)}}

    @contextmanager
    def _default_policy(self) -> Iterator[None]:
        """In force for the block; the warm-up is longer than it takes to reach a scorer."""
        with open_publisher(self._settings) as publisher:
            before = current_policy(publisher.log).version
            publisher.publish(DEFAULT_FOLDER, "bench")
            yield
            publisher.publish_at(before, "bench")

    def profile(self) -> dict[str, Any]:
        """Where the time of a decision goes, at each rate."""
        self._progress.say("profile")
        load, installation = self._load, self._traffic.installation
        generator = self._traffic.generator
        found = profile(
            installation, generator, load.rates, load.seconds, load.warm_up, self._chance
        )
        self._traffic.rest()
        return found

    def idle(self) -> float:
        """The share of a processor that all services take while nothing is sent."""
        before, began = processor_seconds(self._settings), time.monotonic()
        self._traffic.installation.wait(_IDLE_SECONDS)
        taken = milliseconds_each(before, processor_seconds(self._settings), 1)["all"] / 1e3
        return round(taken / (time.monotonic() - began), 3)

    def _round(self, rate: float, name: str) -> dict[str, Any]:
        self._progress.say(f"{rate:g}/s, {name}")
        generator = self._traffic.generator()
        before = processor_seconds(self._settings)
        offered = offer(generator, rate, self._load.seconds, self._chance, self._load.warm_up)
        answered = time.monotonic()
        self._traffic.rest()
        projected = time.monotonic() - answered
        # The work of projections that comes after the load belongs to it.
        after = processor_seconds(self._settings)
        count = round(offered.requests * (1 + self._load.warm_up / self._load.seconds))
        decided = len(offered.milliseconds)
        return {
            **offered.facts(),
            "by_the_model": round(offered.told[MODEL] / max(decided, 1), 5),
            "unflagged": round(offered.told["unflagged"] / max(decided, 1), 5),
            "seconds_until_projected": round(projected, 1),
            "processor_ms_each": milliseconds_each(before, after, count),
        }


def _compared(
    rounds: Sequence[Mapping[str, Any]], ruled: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Processor time with the policy to that without, of all services and of the API alone."""
    pairs = list(zip(rounds, ruled, strict=True))
    return {
        f"{name}_to_without": round(
            median(b["processor_ms_each"][name] / a["processor_ms_each"][name] for a, b in pairs), 3
        )
        for name in ("all", "api")
    }
