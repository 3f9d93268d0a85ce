"""`retrace ingest` with every server and projection running, and live decisions beside.

Decisions come at a low rate, open loop, in three parts: before the import, during it, and until the
projections have caught up with it. The floor is a plain Kafka client with the same bytes, at last.
"""

import resource
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from bench.live.costs import milliseconds_each, processor_seconds
from bench.live.load import Offered, offer
from bench.live.producer import plainly_produced
from bench.live.traffic import MODEL, Traffic
from domain.times import DAY
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from local.chaos.installation import open_installation
from local.demo.projection_progress import wait_for_projections
from local.stack.control import Progress
from operations.monitoring.projection_lag import lags, read_positions
from operations.simulation import write_traffic
from runtime.composition.log import open_another_log, open_log
from runtime.composition.positions import open_positions
from simulator.output.files import open_output
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation

_PER_DAY, _CUSTOMERS, _MERCHANTS = 20_000.0, 5_000, 800
_MOST_SECONDS = 3_600.0
_FLOOR_PREFIX, _FLOOR_RECORDS = "bench-ingest-", 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestLoad:
    """About `rows` payments in a file; decisions at `rate` a second, for `seconds` before it."""

    rows: int = 200_000
    rate: float = 10.0
    seconds: float = 30.0
    history: int = 10
    seed: int = 1


def bench_ingest(load: IngestLoad, progress: Progress, keep: bool = False) -> dict[str, Any]:
    """The figures. Everything that was started is stopped at the end.

    Raises StackError, CommandFailedError, UnavailableError.
    """
    with (
        open_installation(progress, "", keep) as installation,
        open_log(installation.settings) as log,
        open_positions(installation.settings) as positions,
    ):
        most = load.rate * load.seconds * 10
        traffic = Traffic(installation, log, positions, progress, load.history, most)
        traffic.import_history()
        return _Bench(traffic, load).run()


class _Bench:
    def __init__(self, traffic: Traffic, load: IngestLoad) -> None:
        self._traffic, self._load = traffic, load
        self._chance = Random(load.seed)
        self._settings, self._progress = traffic.settings, traffic.progress

    def run(self) -> dict[str, Any]:
        file = self._settings.state_dir / "bench.parquet"
        self._progress.say(f"a file of {self._load.rows:,} payments")
        written(file, self._load.rows, self._load.seed)
        self._progress.say("decisions alone")
        idle = self._beside(None, self._load.seconds)
        start = self._traffic.ends()
        before, children = processor_seconds(self._settings), _children_seconds()
        self._progress.say("import")
        summary: dict[str, Any] = {}
        importing = self._beside(lambda: summary.update(self._imported(file)), _MOST_SECONDS)
        own = _children_seconds() - children
        end = self._traffic.ends()
        self._progress.say("projections")
        caught_up: dict[str, float] = {}
        catching_up = self._beside(lambda: caught_up.update(self._caught_up(end)), _MOST_SECONDS)
        rows = int(summary["rows"])
        costs = milliseconds_each(before, processor_seconds(self._settings), rows)
        self._progress.say("floor")
        floor = self._floor(start, end)
        return {
            "rows": rows,
            "seconds": summary["seconds"],
            "rows_per_second": summary["rows_per_second"],
            "command_processor_us_each": round(own / max(rows, 1) * 1e6, 1),
            "seconds_until_projected": caught_up,
            "processor_ms_each": costs,
            "decisions": {
                "idle": _told(idle),
                "importing": _told(importing),
                "catching_up": _told(catching_up),
            },
            "decisions_p99_to_idle": _ratio(importing, idle),
            "floors": {
                "plain_producer": floor,
                "rows_to_plain_records": round(
                    summary["rows_per_second"] / floor["records_per_second"], 3
                ),
            },
        }

    def _imported(self, file: Path) -> Mapping[str, Any]:
        # Of nearly all rows the label is known by now, and is imported too.
        given = (str(file), "--label", "fraud", "--label-delay", "1d")
        return self._traffic.installation.retrace("ingest", *given)

    def _caught_up(self, ends: list[int]) -> Mapping[str, float]:
        """Seconds until each projection holds all below `ends`; decisions go on meanwhile."""
        began, reached = time.monotonic(), dict[str, float]()

        def behind() -> Mapping[str, int]:
            return lags(read_positions(self._traffic.positions), ends)

        def shown(found: Mapping[str, int]) -> None:
            for name, lag in found.items():
                if not lag:
                    reached.setdefault(name, round(time.monotonic() - began, 1))

        wait_for_projections(behind, shown, self._settings.state_dir / "logs")
        return {**reached, "all": max(reached.values())}

    def _beside(self, work: Callable[[], None] | None, seconds: float) -> Offered:
        """Decisions while the work lasts, for so many seconds at the most."""
        failed: list[BaseException] = []

        def guarded() -> None:
            try:
                if work is not None:
                    work()
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()

        def over() -> bool:
            return work is not None and not thread.is_alive()

        generator = self._traffic.generator()
        offered = offer(generator, self._load.rate, seconds, self._chance, over=over)
        thread.join()
        if failed:
            raise failed[0]
        return offered

    def _floor(self, start: list[int], end: list[int]) -> dict[str, Any]:
        read = self._traffic.log.read(TRANSACTIONS, dict(enumerate(start)), dict(enumerate(end)))
        records = [
            (None if each.key is None else each.key.encode(), each.value)
            for each in islice(read, _FLOOR_RECORDS)
        ]
        with open_another_log(self._settings, _FLOOR_PREFIX):
            topic = _FLOOR_PREFIX + TRANSACTIONS.name
            return plainly_produced(self._settings.kafka_bootstrap_servers, topic, records)


def written(file: Path, rows: int, seed: int) -> None:
    """A Parquet file of about so many simulated payments with their labels, until yesterday."""
    days = max(1, round(rows / _PER_DAY))
    start = (now_us() // DAY - 1 - days) * DAY
    settings = SimulationSettings(
        seed=seed,
        start_us=start,
        customers=_CUSTOMERS,
        merchants=_MERCHANTS,
        per_day=rows / days,
        id_prefix="bench-",
    )
    with closing(open_output(file, truth=True, option="file")) as output:
        write_traffic(Simulation(settings), days, output, None, 0.0, lambda _: None)


def _told(offered: Offered) -> dict[str, Any]:
    by_model = offered.told[MODEL] / max(len(offered.milliseconds), 1)
    return {**offered.facts(), "by_the_model": round(by_model, 5)}


def _ratio(some: Offered, others: Offered) -> float | None:
    """Of their p99; None where one of the two has no answer."""
    p99 = [each.facts()["milliseconds"].get("p99") for each in (some, others)]
    return round(p99[0] / p99[1], 2) if all(p99) else None


def _children_seconds() -> float:
    """Of commands that were waited for: here the import alone."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
