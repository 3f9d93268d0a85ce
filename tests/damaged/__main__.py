"""Reads many damaged files: `python -m tests.damaged 10000` says what was lost, and the memory."""

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.damaged.files import made
from tests.damaged.reading import faults_of


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(count: int) -> int:
    counts: Counter[str] = Counter()
    faults: list[str] = []
    began, warm = time.perf_counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            faults += faults_of(made(seed), Path(folder) / "file", counts)
            if seed == count // 10:
                warm = _peak_mb()
    for fault in faults[:20]:
        sys.stdout.write(fault + "\n")
    told = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    sys.stdout.write(
        f"{told}; faults {len(faults)}; peak memory {warm:.0f} MB after a tenth, "
        f"{_peak_mb():.0f} MB at the end; {time.perf_counter() - began:.0f} s\n"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
