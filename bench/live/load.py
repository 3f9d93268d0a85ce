"""Open loop: requests at a rate that does not wait for answers, timed from when each was due.

A closed loop sends less while the system is slow, and so leaves its worst moments out (coordinated
omission: Tene, How NOT to Measure Latency). Arrivals are a Poisson process, as of many clients.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

import numpy as np
import orjson

from domain.errors import UnavailableError
from local.demo.live.http_client import Connection

SHARES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9}
_IDLE_SECONDS = 2.0
_MOST_OPEN = 2_000
"""Requests that wait for an answer at once; what comes beyond is not sent, and counts as failed."""


@dataclass(slots=True)
class Offered:
    """What a load came to. `milliseconds` are of answers with 2xx, from when each was due.

    `late` is by how much the generator itself sent each too late (milliseconds); `processor` are
    the seconds of processor that it took. By the machine's monotonic clock, in seconds, the load
    was between `began` and `ended`, and what warmed up for it began at `warmed`.
    """

    seconds: float
    requests: int
    milliseconds: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    warmed: float = 0.0
    failed: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    processor: float = 0.0

    def facts(self) -> dict[str, Any]:
        return {
            "offered_per_second": round(self.requests / self.seconds, 1),
            "answered_per_second": round(len(self.milliseconds) / self.seconds, 1),
            "milliseconds": spread(self.milliseconds),
            "failed": dict(self.failed),
            "told": dict(self.told),
            "generator": {
                "processor_ms_each": round(self.processor / max(self.requests, 1) * 1e3, 3),
                "late_ms": spread(self.late),
            },
        }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Exact percentiles and the greatest value; empty of nothing."""
    if not values:
        return {}
    found = np.percentile(np.array(values), list(SHARES.values()))
    shares = {name: round(float(value), 3) for name, value in zip(SHARES, found, strict=True)}
    return {**shares, "max": round(max(values), 3)}


def due_times(rate: float, seconds: float, chance: Random) -> Iterator[float]:
    """Seconds after the begin at which requests are due."""
    at = chance.expovariate(rate)
    while at < seconds:
        yield at
        at += chance.expovariate(rate)


class Generator:
    """Sends each of `bodies` once to `path`, to each of `urls` in turn; `told` names what counts
    of an answer."""

    def __init__(
        self,
        urls: Sequence[str],
        path: str,
        bodies: Iterator[bytes],
        told: Callable[[Any], Sequence[str]] = lambda _: (),
    ) -> None:
        self._urls, self._path, self._bodies, self._told = cycle(urls), path, bodies, told
        self._free: dict[str, deque[tuple[Connection, float]]] = {url: deque() for url in urls}
        self._open: set[asyncio.Task[None]] = set()

    async def offer(
        self, rate: float, seconds: float, chance: Random, over: Callable[[], bool] = lambda: False
    ) -> Offered:
        """Returns once every request is answered or given up; once it is `over`, sends no more."""
        ahead = list(due_times(rate, seconds, chance))
        bodies = [next(self._bodies) for _ in ahead]
        offered = Offered(seconds, 0)
        loop, spent = asyncio.get_running_loop(), time.process_time()
        began = loop.time()
        for at, body in zip(ahead, bodies, strict=True):
            due = began + at
            if (pause := due - loop.time()) > 0:
                await asyncio.sleep(pause)
            if over():
                offered.seconds = loop.time() - began
                break
            offered.requests += 1
            if len(self._open) >= _MOST_OPEN:
                offered.failed[f"more than {_MOST_OPEN} open"] += 1
                continue
            task = loop.create_task(self._request(offered, body, due))
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        while self._open:
            await asyncio.wait(set(self._open))
        offered.processor = time.process_time() - spent
        offered.began = offered.warmed = began
        offered.ended = loop.time()
        return offered

    def close(self) -> None:
        for free in self._free.values():
            for connection, _ in free:
                connection.close()
            free.clear()

    def _connection(self, url: str, now: float) -> Connection:
        """The one used last; those that the server may have closed meanwhile are dropped."""
        free = self._free[url]
        while free and now - free[0][1] > _IDLE_SECONDS:
            free.popleft()[0].close()
        return free.pop()[0] if free else Connection(url)

    async def _request(self, offered: Offered, body: bytes, due: float) -> None:
        loop = asyncio.get_running_loop()
        offered.late.append((loop.time() - due) * 1e3)
        url = next(self._urls)
        connection = self._connection(url, loop.time())
        try:
            status, content = await connection.post(self._path, body)
        except UnavailableError as error:
            offered.failed[str(error)[:60]] += 1
            return
        took = (loop.time() - due) * 1e3
        self._free[url].append((connection, loop.time()))
        if not 200 <= status < 300:
            offered.failed[f"http {status}"] += 1
            return
        offered.milliseconds.append(took)
        with suppress(ValueError):
            offered.told.update(self._told(orjson.loads(content)))


def offer(
    generator: Generator,
    rate: float,
    seconds: float,
    chance: Random,
    warm_up: float = 0.0,
    over: Callable[[], bool] = lambda: False,
) -> Offered:
    """The load after so many seconds of the same that are not counted; see Generator.offer."""

    async def both() -> Offered:
        with closing(generator):
            warmed = await generator.offer(rate, warm_up, chance) if warm_up else None
            offered = await generator.offer(rate, seconds, chance, over)
            if warmed is not None:
                offered.warmed = warmed.began
            return offered

    return asyncio.run(both())
