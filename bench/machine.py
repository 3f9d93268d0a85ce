"""The machine of a benchmark, and the file with its results."""

import json
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any

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


def write(name: str, figures: dict[str, Any]) -> None:
    print(written(name, figures), end="")  # noqa: T201


def written(name: str, figures: dict[str, Any]) -> str:
    """What the file holds now."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": described(), **figures}, indent=1) + "\n"
    (RESULTS / f"{name}.json").write_text(text)
    return text
