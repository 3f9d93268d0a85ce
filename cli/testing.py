"""`retrace test`: every check, the static ones first. CI runs the same."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Annotated

import typer

from host.checkout import CHECKOUT

_BIN = Path(sys.executable).parent

_ALONE = "tests/architecture", "tests/unit"
_CONTRACTS = "tests/contract"
_WITH_SERVERS = "tests/integration"
_OF_PROCESSES = tuple(
    f"tests/integration/{each}" for each in ("workers", "stack", "training", "mlflow")
)
_WHOLE = "tests/e2e"

_COMPILE = """
from domain.features import CATALOGUE
from domain.features.engine import warm_up
warm_up(CATALOGUE)
"""

_Lane = list[tuple[str, list[str]]]

# The lock must have wheels for every supported platform, not only for this one.
_PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin")
_PYTHONS = ("3.11", "3.12", "3.13")


def run_checks(
    pytest_args: Annotated[
        list[str] | None, typer.Argument(metavar="[-- PYTEST ARGS]", show_default=False)
    ] = None,
    static: Annotated[bool, typer.Option("--static", help="Only the checks before the tests.")] = (
        False
    ),
) -> None:
    """Check formatting, types, layers, documents and locks; then run the tests."""
    started = time.monotonic()
    lanes = _checks(), [] if static else _tests(pytest_args or [])
    try:
        for side_by_side in lanes:
            asyncio.run(run_lanes(side_by_side))
    except ExceptionGroup as failed:
        print(f"retrace test: {failed.exceptions[0]}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"retrace test: all passed in {time.monotonic() - started:.0f} s", file=sys.stderr)


def _tests(asked: list[str]) -> list[_Lane]:
    """Two lanes. Tests of the whole system wait for it half of their time, and some ask that
    decisions are not late: the others take what is left beside them.

    Those that need no server run on all cores, a file of them in one process, which shares what
    its tests have made, and wait for nothing. The others share servers, and wait for them half of
    their time as well: contracts, and tests of processes, make the lanes equally long.
    """
    if asked:
        return [[("tests", _pytest(*asked))]]
    last, behind = ["nice", "-n", "10"], ["nice", "-n", "5"]
    without = [f"--ignore={each}" for each in _OF_PROCESSES]
    return [
        [
            ("tests of the whole system", _pytest(_WHOLE)),
            ("tests of contracts", behind + _pytest(_CONTRACTS)),
            ("tests of processes", behind + _pytest(*_OF_PROCESSES)),
        ],
        [
            ("tests without servers",
             last + _pytest(*_ALONE, "-n", "logical", "--dist", "loadfile")),
            ("tests with servers", behind + _pytest(_WITH_SERVERS, *without)),
            ("deployment", [*behind, "deploy/check"]),
        ],
    ]  # fmt: skip


def _pytest(*arguments: str) -> list[str]:
    return [str(_BIN / "python"), "-m", "pytest", *arguments]


def _checks() -> list[_Lane]:
    retrace = [str(_BIN / "python"), "-m", "cli.main"]
    return [
        [
            ("format", [str(_BIN / "ruff"), "format", "--check", "--quiet", "."]),
            ("lint", [str(_BIN / "ruff"), "check", "--quiet", "."]),
            ("layers", [str(_BIN / "lint-imports"), "--no-logo"]),
            ("types", [str(_BIN / "mypy")]),
        ],
        [
            ("event schemas", [*retrace, "events", "schemas", "--check"]),
            *((f"lock for {p}, Python {v}", _resolves(p, v)) for p in _PLATFORMS for v in _PYTHONS),
            # Or every process of the tests that begin at once would compile it.
            ("compiled kernel", [str(_BIN / "python"), "-c", _COMPILE]),
        ],
    ]


def _resolves(target: str, version: str) -> list[str]:
    nowhere = str(Path(tempfile.gettempdir()) / "retrace-lock-check")
    return [
        *(str(_BIN / "uv"), "pip", "install", "--system-certs"),  # those that pip knows
        *("--dry-run", "--quiet", "--require-hashes"),
        *("--only-binary", ":all:", "--python-platform", target, "--python-version", version),
        *("--target", nowhere, "-r", "requirements.lock"),
    ]


class CheckError(Exception):
    """The text names the check and its command."""


async def run_lanes(lanes: list[_Lane]) -> None:
    """The first failure ends all; what the first lane prints is shown at once."""
    async with asyncio.TaskGroup() as group:
        for number, lane in enumerate(lanes):
            group.create_task(_run_lane(lane, shown=number == 0))


async def _run_lane(lane: _Lane, shown: bool) -> None:
    for name, command in lane:
        print(f"── {name}", file=sys.stderr, flush=True)
        started = time.monotonic()
        with tempfile.TemporaryFile() as kept:
            try:
                status = await _ended(command, None if shown else kept)
            finally:
                kept.seek(0)
                sys.stderr.write(kept.read().decode(errors="replace"))
        print(f"── {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        if status:
            again = " ".join(command)
            raise CheckError(f"{name} failed with exit code {status}. To repeat it: {again}")


async def _ended(command: list[str], output: IO[bytes] | None) -> int:
    """The exit status; where this is cancelled, the process ends as at Ctrl-C."""
    # Tests start hundreds of processes: without bytecode each would compile our modules anew.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.send_signal(signal.SIGINT)
        await process.wait()
        raise
