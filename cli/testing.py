"""`retrace test`: every check, the fastest first. CI runs the same."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from host.checkout import CHECKOUT

_BIN = Path(sys.executable).parent

_ALONE = "tests/architecture", "tests/unit"
_WITH_SERVERS = "tests/contract", "tests/integration", "tests/e2e"

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
    for name, command in _checks():
        _run(name, command)
    for name, arguments in () if static else _tests(pytest_args or []):
        _run(name, [str(_BIN / "python"), "-m", "pytest", *arguments])
    print(f"retrace test: all passed in {time.monotonic() - started:.0f} s", file=sys.stderr)


def _tests(asked: list[str]) -> Sequence[tuple[str, list[str]]]:
    """Those that need no server run side by side, a file of them in one process, which shares what
    its tests have made; the others share servers, and some measure what a machine's load is."""
    if asked:
        return [("tests", asked)]
    return [
        ("tests without servers", [*_ALONE, "-n", "logical", "--dist", "loadfile"]),
        ("tests with servers", list(_WITH_SERVERS)),
    ]


def _checks() -> list[tuple[str, list[str]]]:
    retrace = [str(_BIN / "python"), "-m", "cli.main"]
    return [
        ("format", [str(_BIN / "ruff"), "format", "--check", "--quiet", "."]),
        ("lint", [str(_BIN / "ruff"), "check", "--quiet", "."]),
        ("layers", [str(_BIN / "lint-imports"), "--no-logo"]),
        ("types", [str(_BIN / "mypy")]),
        ("event schemas", [*retrace, "events", "schemas", "--check"]),
        *((f"lock for {p}, Python {v}", _resolves(p, v)) for p in _PLATFORMS for v in _PYTHONS),
    ]


def _resolves(target: str, version: str) -> list[str]:
    nowhere = str(Path(tempfile.gettempdir()) / "retrace-lock-check")
    return [
        *(str(_BIN / "uv"), "pip", "install", "--system-certs"),  # those that pip knows
        *("--dry-run", "--quiet", "--require-hashes"),
        *("--only-binary", ":all:", "--python-platform", target, "--python-version", version),
        *("--target", nowhere, "-r", "requirements.lock"),
    ]


def _run(name: str, command: list[str]) -> None:
    print(f"── {name}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=CHECKOUT, check=False)
    if done.returncode:
        print(
            f"retrace test: {name} failed with exit code {done.returncode}. "
            f"To repeat it: {' '.join(command)}",
            file=sys.stderr,
        )
        raise typer.Exit(1)
