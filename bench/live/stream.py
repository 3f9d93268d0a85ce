"""Freshness of folded states at stated rates, what folding costs, and peers on the same events.

Decisions come as an open loop, so that events are appended as they are in use. Peers get the same
events at the same rates once the applications of the installation are away, on the same servers.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.live.costs import milliseconds_each, processor_seconds
from bench.live.floors import floors
from bench.live.freshness import sampling
from bench.live.load import offer, spread
from bench.live.peers.events import Feed, events_between
from bench.live.peers.run import peers
from bench.live.traffic import Traffic
from host.clock import now_us
from local.chaos.installation import open_installation
from local.stack.control import Progress
from local.stack.services import APPS
from runtime.composition.features import states_of
from runtime.composition.log import open_log
from runtime.composition.positions import open_positions

_SAMPLES_PER_SECOND = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLoad:
    """Requests a second and seconds of each round; `history` are days of a thousand payments."""

    rates: Sequence[float]
    seconds: float = 60.0
    warm_up: float = 15.0
    rounds: int = 3
    history: int = 30
    seed: int = 1
    peers: bool = True


def bench_stream(load: StreamLoad, progress: Progress, keep: bool = False) -> dict[str, Any]:
    """The figures. Everything that was started is stopped at the end. Raises StackError."""
    chance = Random(load.seed)
    most = max(load.rates) * (load.seconds + load.warm_up) * load.rounds
    with (
        open_installation(progress, "", keep) as installation,
        open_log(installation.settings) as log,
        open_positions(installation.settings) as positions,
    ):
        traffic = Traffic(installation, log, positions, progress, load.history, most)
        traffic.import_history()
        bench = _Bench(traffic, load, chance)
        found = {str(rate): {"rounds": bench.at(rate)} for rate in load.rates}
        beside = {}
        if load.peers:
            with installation.away(*(service.name for service in APPS)):
                beside = {str(rate): bench.peers_at(rate) for rate in load.rates}
        progress.say("floors")
        return {
            "rates": found,
            "peers": beside,
            "floors": floors(installation.settings, [], load.seconds, chance),
        }


class _Bench:
    def __init__(self, traffic: Traffic, load: StreamLoad, chance: Random) -> None:
        self._traffic, self._load, self._chance = traffic, load, chance
        self._settings = traffic.settings
        self._states = states_of(traffic.settings)
        self._history = self._traffic.ends()

    def at(self, rate: float) -> list[dict[str, Any]]:
        return [self._round(rate, number) for number in range(1, self._load.rounds + 1)]

    def peers_at(self, rate: float) -> dict[str, Any]:
        self._traffic.progress.say(f"peers at {rate:g}/s")
        load, log = self._load, self._traffic.log
        now = dict(enumerate(self._traffic.ends()))
        history = dict(enumerate(self._history))
        feed = Feed(
            history=list(events_between(log, {}, history)),
            events=list(events_between(log, history, now)),
            rate=rate,
            seconds=load.seconds,
            warm_up=load.warm_up,
            seed=load.seed,
        )
        return peers(self._settings, feed)

    def _round(self, rate: float, number: int) -> dict[str, Any]:
        self._traffic.progress.say(f"{rate:g}/s, round {number} of {self._load.rounds}")
        load, generator = self._load, self._traffic.generator()
        every = max(1, round(rate / _SAMPLES_PER_SECOND))
        before, spent = processor_seconds(self._settings), time.process_time()
        with sampling(self._traffic.log, self._states, every) as samples:
            offered = offer(generator, rate, load.seconds, self._chance, load.warm_up)
            counted_from = now_us() - round((time.monotonic() - offered.began) * 1e6)
            # The last of them are folded still.
            self._traffic.rest()
        fresh = samples.since(counted_from)
        after, own = processor_seconds(self._settings), time.process_time() - spent
        count = round(offered.requests * (1 + load.warm_up / load.seconds))
        return {
            **offered.facts(),
            "samples": len(fresh),
            "unseen": samples.unseen,
            "fresh_ms": spread(fresh),
            "processor_ms_each": milliseconds_each(before, after, count),
            "bench_processor_ms_each": round(own / max(count, 1) * 1e3, 3),
        }
