"""Options of commands, and their message after an interruption."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.interrupts import interruptible
from cli.models.lifecycle import basis_points
from domain.errors import InvalidInputError
from tests.builders.import_files import rows_of, write_csv


@pytest.mark.parametrize(
    ("said", "points"), [("5%", 500), ("0.01%", 1), ("12.5 %", 1_250), ("100", 10_000)]
)
def test_a_share_is_said_in_percent(said: str, points: int) -> None:
    assert basis_points(said) == points


@pytest.mark.parametrize("said", ["", "0%", "-1%", "100.01%", "0.005%", "half", "nan", "Infinity"])
def test_what_is_no_share_is_refused(said: str) -> None:
    with pytest.raises(InvalidInputError, match="--share"):
        basis_points(said)


def test_every_interruption_says_how_to_continue(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible("`again`"):
        raise SystemError("in the middle of a call") from KeyboardInterrupt()
    assert capsys.readouterr().err == "interrupted; `again` continues this run\n"
    with pytest.raises(SystemError, match="another"), interruptible("`again`"):
        raise SystemError("another")


def test_a_dry_run_needs_no_server(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", rows_of(5))
    command = [sys.executable, "-m", "cli.main", "ingest", str(path), "--dry-run", "--json"]
    environment = os.environ | {"RETRACE_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["mode"], found["rows"], found["accepted"]) == ("dry run", 5, 5)
