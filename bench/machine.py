"""The machine of a benchmark, and the file with its results."""

import json
import os
import platform
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"


def described() -> dict[str, Any]:
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count(),
        "memory_gib": round(pages / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def peak_gib() -> float:
    """Of this process since it began its program."""
    if sys.platform == "darwin":
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30, 2)
    # Of getrusage Linux hands the parent's peak on.
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return round(int(kib) / 2**20, 2)


@dataclass(slots=True)
class Spent:
    """Of this process and those that it started and that have ended; `peak_gib` is memory of their
    own, without pages of files."""

    wall_s: float = 0.0
    processor_s: float = 0.0
    peak_gib: float = 0.0

    def told(self) -> dict[str, float]:
        return {
            "wall_s": round(self.wall_s, 2),
            "processor_s": round(self.processor_s, 2),
            "peak_gib": self.peak_gib,
        }


@contextmanager
def spent() -> Iterator[Spent]:
    """Whole once the block has ended."""
    found, ended = Spent(), threading.Event()
    watch = threading.Thread(target=_watch, args=(found, ended), daemon=True)
    began, used = time.perf_counter(), sum(os.times()[:4])
    watch.start()
    try:
        yield found
    finally:
        ended.set()
        watch.join()
    found.wall_s = time.perf_counter() - began
    found.processor_s = sum(os.times()[:4]) - used
    found.peak_gib = round(found.peak_gib, 2)


def _watch(found: Spent, ended: threading.Event) -> None:
    while not ended.wait(0.1):
        # Not psutil's children: to find them it reads all processes of the machine.
        pids = [os.getpid(), *(each.pid for each in active_children() if each.pid)]
        own = 0
        for pid in pids:
            with suppress(psutil.Error):
                memory = psutil.Process(pid).memory_info()
                own += memory.rss - getattr(memory, "shared", 0)
        found.peak_gib = max(found.peak_gib, own / 2**30)


def write(name: str, figures: dict[str, Any]) -> None:
    print(written(name, figures), end="")  # noqa: T201


def written(name: str, figures: dict[str, Any]) -> str:
    """What the file holds now."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": described(), **figures}, indent=1) + "\n"
    (RESULTS / f"{name}.json").write_text(text)
    return text
