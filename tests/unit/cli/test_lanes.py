"""Checks side by side: the first failure is named and ends the others, which clean up."""

import asyncio
import sys
from pathlib import Path

import pytest

from cli.testing import CheckError, run_lanes

PYTHON = [sys.executable, "-c"]


def waits(started: Path, ended: Path) -> list[str]:
    """A program that ends at Ctrl-C alone, and cleans up."""
    program = f"""
from pathlib import Path
from signal import default_int_handler, pause, signal, SIGINT
signal(SIGINT, default_int_handler)
print("what it says", flush=True)
Path({str(started)!r}).touch()
try:
    pause()
finally:
    Path({str(ended)!r}).touch()
"""
    return [*PYTHON, program]


def fails_after(started: Path) -> list[str]:
    return [*PYTHON, f"import os\nwhile not os.path.exists({str(started)!r}): pass\nexit(3)"]


@pytest.mark.parametrize("failing", [0, 1])
def test_the_first_failure_is_named_and_ends_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], failing: int
) -> None:
    started, ended = tmp_path / "started", tmp_path / "ended"
    lanes = [[("long", waits(started, ended))]]
    lanes.insert(failing, [("short", fails_after(started)), ("never", [*PYTHON, "print('no')"])])
    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(run_lanes(lanes))
    (failed,) = raised.value.exceptions
    assert isinstance(failed, CheckError)
    assert str(failed).startswith("short failed with exit code 3. To repeat it: ")
    assert ended.exists()
    printed = capfd.readouterr()
    assert "what it says" in printed.out + printed.err
    assert "never" not in printed.err
