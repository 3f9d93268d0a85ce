"""Many seeds, in as many processes as there are cores, and what they found."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from faults.run import Outcome, run
from faults.schedules.mixed import MIXED
from faults.schedules.table import SCHEDULES

_AT_ONCE = 8


@dataclass(slots=True)
class Summary:
    """`wrong` are the outcomes with findings."""

    seeds: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    steps: int = 0
    wrong: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds[outcome.schedule] += 1
        self.met.update(outcome.met)
        self.seconds += outcome.seconds
        self.steps += outcome.steps
        if outcome.findings:
            self.wrong.append(outcome)


def every_other(names: Sequence[str], first: int, count: int) -> Iterator[tuple[str, int]]:
    """(schedule, seed): every second one is mixed, where several schedules are asked for."""
    special = [name for name in names if name != MIXED.name]
    for seed in range(first, first + count):
        mixed = MIXED.name in names and (seed % 2 == 0 or not special)
        yield (MIXED.name if mixed else special[seed // 2 % len(special)]), seed


def simulate(
    names: Sequence[str], first: int, count: int, tell: Callable[[Summary], None]
) -> Summary:
    """Runs `count` seeds from `first` on; `tell` is called now and then."""
    summary = Summary()
    todo = list(every_other(names, first, count))
    if len(todo) == 1:
        summary.add(run_named(*todo[0]))
        return summary
    chunks = [todo[at : at + _AT_ONCE] for at in range(0, len(todo), _AT_ONCE)]
    # Spawned: a fork of a process with threads may hang.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for outcomes in pool.map(_run_all, chunks):
            for outcome in outcomes:
                summary.add(outcome)
            tell(summary)
    return summary


def run_named(name: str, seed: int) -> Outcome:
    return run(SCHEDULES[name], seed)


def _run_all(chunk: Sequence[tuple[str, int]]) -> list[Outcome]:
    return [run_named(*one) for one in chunk]
