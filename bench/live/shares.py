"""`POST /score` to several API processes in turn: what of the log each reads, and what it costs."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import psutil

from bench.live.api_process import api_process
from bench.live.costs import milliseconds_each, processor_seconds
from bench.live.load import Generator, offer
from bench.live.traffic import MODEL, Traffic, told
from eventlog.topics import TRANSACTIONS
from host.ports import free_ports
from host.processes import wait_until
from local.chaos.installation import open_installation
from local.stack.control import Progress
from local.stack.errors import StackError
from runtime.composition.log import open_log
from runtime.composition.positions import open_positions
from runtime.settings import Settings

_MODULE = ["runtime.processes.api"]
_SHARED_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLoad:
    """Requests a second of all together, and seconds of each round, with each number of `apis`."""

    apis: Sequence[int]
    rate: float = 100.0
    seconds: float = 30.0
    warm_up: float = 10.0
    rounds: int = 2
    history: int = 2
    seed: int = 1


def bench_shares(load: SharedLoad, progress: Progress, keep: bool = False) -> dict[str, Any]:
    """The figures, by number of processes. All is stopped at the end. Raises StackError."""
    chance = Random(load.seed)
    with (
        open_installation(progress, "", keep) as installation,
        open_log(installation.settings) as log,
        open_positions(installation.settings) as positions,
    ):
        traffic = Traffic(installation, log, positions, progress, load.history, load.rate * 60)
        traffic.import_history()
        bench = _Bench(traffic, load, chance)
        # In turns, so that what else the machine does meets all alike.
        rounds = [(apis, bench.round(apis)) for _ in range(load.rounds) for apis in load.apis]
    return {
        "rate": load.rate,
        "apis": {
            str(n): {"rounds": [each for apis, each in rounds if apis == n]} for n in load.apis
        },
    }


class _Bench:
    def __init__(self, traffic: Traffic, load: SharedLoad, chance: Random) -> None:
        self._traffic, self._load, self._chance = traffic, load, chance
        self._settings, self._progress = traffic.settings, traffic.progress

    def round(self, apis: int) -> dict[str, Any]:
        load = self._load
        self._progress.say(f"{apis} API processes")
        with served_by(self._settings, apis) as (urls, others):
            generator = Generator(urls, "/score", self._traffic.bodies, told)
            offer(generator, load.rate, load.warm_up, self._chance)
            before, spent = processor_seconds(self._settings), _spent(others)
            read, ends = [records_read(url) for url in urls], sum(self._traffic.ends())
            offered = offer(generator, load.rate, load.seconds, self._chance)
            self._traffic.rest()
            costs = milliseconds_each(before, processor_seconds(self._settings), offered.requests)
            more = (_spent(others) - spent) / max(offered.requests, 1) * 1e3
            records = sum(self._traffic.ends()) - ends
            shares = [
                (records_read(url) - was) / max(records, 1)
                for url, was in zip(urls, read, strict=True)
            ]
        decided = len(offered.milliseconds)
        return {
            **offered.facts(),
            "by_the_model": round(offered.told[MODEL] / max(decided, 1), 5),
            "records": records,
            "share_read": [round(share, 3) for share in shares],
            "processor_ms_each": costs | {"all": round(costs["all"] + more, 3)},
            "apis_ms_each": round(costs["api"] + more, 3),
        }


@contextmanager
def served_by(settings: Settings, apis: int) -> Iterator[tuple[list[str], list[psutil.Process]]]:
    """Addresses of so many API processes, once each has its share, and those that were started
    beside the installation's. Raises StackError."""
    urls = [settings.api_url]
    with ExitStack() as stack:
        others = []
        for number, port in enumerate(free_ports(apis - 1), start=2):
            process = api_process(settings, _MODULE, f"api-{number}", port)
            others.append(stack.enter_context(process))
            urls.append(f"http://{settings.api_host}:{port}")
        least, rest = divmod(TRANSACTIONS.partitions, apis)
        most = least + (rest > 0)
        shared = wait_until(
            lambda: all(least <= _served_by(url) <= most for url in urls), _SHARED_SECONDS
        )
        if not shared:
            raise StackError(f"{apis} API processes do not have {least} partitions each, or {most}")
        yield urls, others


def _spent(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def records_read(url: str) -> float:
    """Records of the log that an API process has read so far."""
    return sum(_figures(url, "retrace_ledger_position{"))


def _served_by(url: str) -> float:
    return sum(_figures(url, "retrace_partitions_served "))


def _figures(url: str, name: str) -> list[float]:
    lines = httpx.get(f"{url}/metrics", timeout=10.0).text.splitlines()
    return [float(line.split()[-1]) for line in lines if line.startswith(name)]
