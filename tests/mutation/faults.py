"""Planted bugs against the simulator: `python -m tests.mutation.faults [WORD]...`.

Each is put into a copy of its package alone, which stands before the tree on the path. For each it
prints how many seeds it took until the audit found something; ends with 1 where one was not found
within MOST seeds. Without any bug the same seeds are to pass. It takes minutes, and is not part of
`retrace test`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutation.fault_mutants import PLANTED
from tests.mutation.planted import Planted

_ROOT = Path(__file__).resolve().parent.parent.parent
MOST = 40
_HUNT = """\
import sys
from faults.simulate import run_named
names, most = sys.argv[2:], int(sys.argv[1])
for seed in range(1, most + 1):
    for name in names:
        try:
            found = [f"{f.check}: {f.what}" for f in run_named(name, seed).findings]
        except Exception as error:
            found = [f"{type(error).__name__}: {error}"]
        if found:
            print(seed, name, found[0][:150])
            sys.exit()
"""


def main(words: Sequence[str]) -> int:
    chosen = [each for each in PLANTED if not words or any(w in each.name for w in words)]
    living = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for planted, found in zip(chosen, pool.map(_hunted, chosen), strict=True):
            living += not found
            print(f"{planted.name}: {found or f'NOT FOUND in {MOST} seeds'}", flush=True)
    print(f"{len(chosen)} planted bugs, {living} not found")
    return 1 if living else 0


def _hunted(planted: Planted) -> str:
    """Seed, schedule and first finding; empty where there is none."""
    with tempfile.TemporaryDirectory(prefix="retrace-planted-") as folder:
        package = planted.file.split("/")[0]
        shutil.copytree(
            _ROOT / package, Path(folder, package), ignore=shutil.ignore_patterns("__pycache__")
        )
        path = Path(folder, planted.file)
        text = path.read_text()
        if text.count(planted.before) < 1:
            sys.exit(f"{planted.name}: its text is not in {planted.file} any more: mend the list")
        path.write_text(text.replace(planted.before, planted.after, 1))
        command = [sys.executable, "-P", "-c", _HUNT, str(MOST), *planted.schedules]
        search = {**os.environ, "PYTHONPATH": os.pathsep.join((folder, str(_ROOT)))}
        ended = subprocess.run(command, cwd=folder, env=search, capture_output=True, text=True)
        if ended.returncode:
            return f"0 (it does not start) {ended.stderr.strip().splitlines()[-1]}"
        return ended.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
