"""Mutation testing of the engines: `python -m tests.mutation [WORD]...`; not in `retrace test`.

All mutants are put into one copy of the tree, each behind a switch, and a process is forked for
each: so the kernel is compiled once. A WORD chooses those whose name or file holds it. Ends with 1
where one lives that is not known to be equivalent. A mutant that lives takes as long as the tests.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tests.architecture.tree import packages
from tests.mutation.mutants import MUTANTS, Mutant

_ROOT = Path(__file__).resolve().parent.parent.parent
# Those that find most in the least time come first.
_FEATURES, _REPLAY = "tests/unit/domain/features", "tests/unit/projections/replay"
_TESTS = (
    f"{_FEATURES}/test_by_hand.py",
    f"{_FEATURES}/test_labels_by_hand.py",
    f"{_FEATURES}/test_edges.py",
    f"{_FEATURES}/test_parity.py",
    f"{_REPLAY}/test_replay.py",
    f"{_REPLAY}/test_label_order.py",
    f"{_REPLAY}/test_payments.py",
    f"{_REPLAY}/test_no_leak.py",
    f"{_FEATURES}/test_bytes.py",
    f"{_FEATURES}/test_served.py",
    f"{_FEATURES}/test_inputs.py",
)
_QUIET = ("-q", "-x", "--no-header", "--no-summary", "-p", "no:cacheprovider", "--tb=no")
_SETTLED = ("--hypothesis-profile=mutants", "--hypothesis-seed=0")
_SWITCH = """\
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

CELL = np.zeros(1, dtype=np.int64)
_AT = CELL.ctypes.data


@intrinsic
def _load(context, address):
    def read(context, builder, signature, arguments):
        return builder.load(builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()))

    return types.int64(types.int64), read


@numba.njit
def on(number):
    return _load(_AT) == number
"""
_IMPORT = "from domain.features.kernel.mutation import on as _on"
_FIRST_IMPORT = re.compile(r"^(?=(from (?!__future__)|import ))", re.MULTILINE)


def main(words: Sequence[str]) -> int:
    chosen = [m for m in MUTANTS if not words or any(w in f"{m.file} {m.name}" for w in words)]
    with tempfile.TemporaryDirectory(prefix="retrace-mutants-") as folder:
        copy = Path(folder)
        for name in (*packages(), "tests"):
            shutil.copytree(_ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(_ROOT / "pyproject.toml", copy)
        _switchable(copy, chosen)
        numbers = ",".join(str(MUTANTS.index(mutant)) for mutant in chosen)
        command = [sys.executable, "-P", "-m", "tests.mutation", "--within", numbers]
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=copy, env=environment).returncode


def _switchable(copy: Path, chosen: Sequence[Mutant]) -> None:
    kernel = copy / "domain" / "features" / "kernel"
    (kernel / "mutation.py").write_text(_SWITCH)
    # Machine code holds the address of the switch: it is of one process.
    compiled = kernel / "compiled.py"
    compiled.write_text(compiled.read_text().replace("cache=True", "cache=False"))
    for mutant in chosen:
        path = copy / mutant.file
        text = _put(path.read_text(), mutant, f"_on({MUTANTS.index(mutant) + 1})")
        if _IMPORT not in text:
            text = _FIRST_IMPORT.sub(f"{_IMPORT}\n", text, count=1)
        path.write_text(text)


def _put(text: str, mutant: Mutant, on: str) -> str:
    parts = text.split(mutant.before)
    if len(parts) < mutant.at + 2:
        sys.exit(
            f"{mutant.name}: {mutant.before!r} is not in {mutant.file} any more: mend the list"
        )
    if "{on}" in mutant.after:
        put = mutant.after.replace("{on}", on)
    else:
        put = f"(({mutant.after}) if {on} else ({mutant.before}))"
    first, rest = parts[: mutant.at + 1], parts[mutant.at + 1 :]
    return mutant.before.join(first) + put + mutant.before.join(rest)


def _within(numbers: Sequence[int]) -> int:
    """In the copy: the tests are to pass without a mutant, and to fail with each."""
    import pytest

    # Made in the copy alone.
    cell = import_module("domain.features.kernel.mutation").CELL
    arguments = [*_QUIET, *_SETTLED, *_TESTS]
    if pytest.main(arguments):
        print("the tests fail without any mutant")
        return 2
    living = 0
    for number in numbers:
        mutant, started = MUTANTS[number], time.monotonic()
        child = os.fork()
        if not child:
            cell[0] = number + 1
            with open(os.devnull, "w") as nothing:
                os.dup2(nothing.fileno(), sys.stdout.fileno())
                os._exit(int(bool(pytest.main(arguments))))
        lives = os.waitpid(child, 0)[1] == 0
        living += lives and not mutant.equivalent
        said = f"LIVES {mutant.equivalent and f'(equivalent: {mutant.equivalent})'}"
        seconds = f"{time.monotonic() - started:6.1f} s"
        print(f"{seconds}  {mutant.name}: {said if lives else 'dies'}", flush=True)
    print(f"{len(numbers)} mutants, {living} live that should not")
    return 1 if living else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--within"]:
        sys.exit(_within([int(number) for number in sys.argv[2].split(",")]))
    sys.exit(main(sys.argv[1:]))
