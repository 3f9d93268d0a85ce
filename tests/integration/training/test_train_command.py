"""`retrace train` as a user runs, interrupts and resumes it, against the real log."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands.policy.topic import current_policy
from domain.events import ModelAlertRaised
from domain.times import to_rfc3339
from eventlog.adapters.kafka_admin import ensure_topics
from eventlog.codec import decode
from eventlog.topics import ALERTS
from operations.training.results import NOT_IN_FORCE
from operations.training.runs import read_run
from runtime.composition.log import open_log
from runtime.settings import CHECKOUT, Settings
from tests.fakes.payments import APART, START, TAUGHT, write_payments

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


def answer(servers: Settings, state: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    with started(servers, state, *arguments, "--json") as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == status, err
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
        assert any(line.startswith("earlier labels, epoch 2") for line in process.stderr)
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
    assert "average precision" in err
    assert "all labels, epoch 1" in err
    output = json.loads(out)
    assert (tmp_path / "models" / output["model_hash"]).is_dir()
    assert not list((tmp_path / "training").iterdir())


def misleading(path: Path, begin: int, wrong: int, right: int) -> list[str]:
    """Payments as of write_payments after the first `begin`, of other customers and shops each
    time; among the first `wrong` small payments are labelled fraud in place of the large ones."""
    options = write_payments(path, "more", begin + wrong + right)
    rows = pd.read_csv(path).iloc[begin:]
    random = np.random.default_rng(5)
    rows["WHO"] = [f"customer-{n}" for n in random.integers(0, 400, len(rows))]
    rows["SHOP"] = [f"shop-{n}" for n in random.integers(0, 90, len(rows))]
    large = rows["AMOUNT"] >= 900
    taken = np.where(np.arange(len(rows)) < wrong, rows["AMOUNT"].between(30, 35), large)
    rows.assign(FRAUD=taken.astype(int)).to_csv(path, index=False)
    return options


def test_a_model_that_was_taught_wrongly_is_refused_and_told_of(
    history: Settings, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    moment = (START + APART * TAUGHT).isoformat()
    good = answer(history, state, "train", "--as-known-at", moment)
    assert (good["promoted"], good["refused"], good["gate"]["passed"]) == (True, None, True)
    path = tmp_path / "more.csv"
    answer(history, state, "ingest", str(path), *misleading(path, TAUGHT, 7_000, 3_000))
    with open_log(history) as log:
        before = current_policy(log)
        bad = answer(history, state, "train", status=NOT_IN_FORCE)
        assert not bad["promoted"]
        assert bad["refused"].startswith(("model in force: ", "fall: "))
        assert good["model_id"] in bad["refused"]
        after = current_policy(log)
        assert (after.model, after.thresholds) == (before.model, before.thresholds)
        raised = [decode(each.value).data for each in log.read(ALERTS)]
        (alert,) = [each for each in raised if isinstance(each, ModelAlertRaised)]
        assert (alert.measure, alert.model_id) == ("gate", bad["model_id"])
        assert alert.summary == f"not put in force: {bad['refused']}"
        forced = answer(history, state, "train", "--as-known-at", bad["as_known_at"], "--force")
        assert (forced["model_id"], forced["promoted"]) == (bad["model_id"], True)
        assert forced["gate"]["passed"] is False
        model = current_policy(log).model
        assert model is not None
        assert model.model_id == bad["model_id"]


def test_force_beside_no_promotion_is_refused(history: Settings, tmp_path: Path) -> None:
    with started(history, tmp_path, "train", "--no-promote", "--force") as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, "--force: puts the model in force" in err) == (1, True)
