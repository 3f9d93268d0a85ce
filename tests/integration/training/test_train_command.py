"""`retrace train` as a user runs, interrupts and resumes it, against the real log."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.times import to_rfc3339
from eventlog.adapters.kafka_admin import ensure_topics
from operations.training.runs import read_run
from runtime.settings import CHECKOUT, Settings
from tests.fakes.payments import TAUGHT, write_payments

pytestmark = pytest.mark.timeout(1200)  # a busy machine takes minutes to start TensorFlow


def started(servers: Settings, state: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **servers.environment(), "RETRACE_STATE_DIR": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background of a shell ignores it, and so would we.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def answer(servers: Settings, state: Path, *arguments: str) -> dict[str, Any]:
    with started(servers, state, *arguments, "--json") as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    output: dict[str, Any] = json.loads(out)
    return output


def ingest(servers: Settings, folder: Path, prefix: str, rows: int) -> None:
    path = folder / f"{prefix}.csv"
    answer(servers, folder, "ingest", str(path), *write_payments(path, prefix, rows))


@pytest.fixture(scope="module")
def history(servers: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    ensure_topics(servers.kafka_bootstrap_servers)
    ingest(servers, tmp_path_factory.mktemp("history"), "taught", TAUGHT)
    return servers


def interrupted(servers: Settings, state: Path, *arguments: str) -> str:
    """The output of a training from its second epoch on, where Ctrl-C stops it."""
    with started(servers, state, "train", *arguments) as process:
        assert process.stderr is not None
        assert any(line.startswith("epoch 2") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        output = process.stderr.read()
        assert process.wait(60) == 130
    return output


def test_an_interrupted_training_goes_on_as_of_its_own_moment_whatever_came_since(
    history: Settings, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    output = interrupted(history, state, "--no-promote", "--seed", "5")
    assert "`retrace train --resume` continues" in output
    (folder,) = (state / "training").iterdir()
    moment = to_rfc3339(read_run(folder).asked.as_known_at)
    again = "train", "--as-known-at", moment, "--no-promote", "--seed", "5"
    undisturbed = answer(history, tmp_path / "another", *again)
    ingest(history, tmp_path, "later", 200)
    resumed = answer(history, state, "train", "--resume")
    alike = "model_id", "model_hash", "as_known_at", "transactions", "metrics", "promoted"
    assert {name: resumed[name] for name in alike} == {name: undisturbed[name] for name in alike}
    assert not list((state / "training").iterdir())


def test_resuming_cannot_change_what_a_run_was_asked(history: Settings, tmp_path: Path) -> None:
    for arguments, text in (
        (("--resume", "--seed", "2"), "--seed: is the run's own"),
        (("--resume",), "no training run was interrupted"),
    ):
        with started(history, tmp_path, "train", *arguments) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert text in err


def test_a_training_by_two_processes_reports_its_epochs(history: Settings, tmp_path: Path) -> None:
    asked = "train", "--workers", "2", "--no-promote", "--json"
    with started(history, tmp_path, *asked) as process:
        out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    assert "epoch 1: average precision" in err
    assert "all labels, epoch 1" in err
    output = json.loads(out)
    assert (tmp_path / "models" / output["model_hash"]).is_dir()
    assert not list((tmp_path / "training").iterdir())
