"""`retrace train` as a user runs, interrupts and resumes it, against the real log."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands.policy.topic import current_policy
from domain.events import ModelAlertRaised
from domain.times import from_rfc3339
from eventlog.adapters.kafka_admin import ensure_topics
from eventlog.codec import decode
from eventlog.topics import ALERTS
from host.clock import now_us
from local.demo.demo_state import DemoState
from local.demo.stages import Stages
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
    ensure_topics(servers.kafka())
    ingest(servers, tmp_path_factory.mktemp("history"), "taught", TAUGHT)
    return servers


def interrupted(servers: Settings, state: Path, *arguments: str) -> str:
    """The output of a training from its first trees on, where Ctrl-C stops it."""
    with started(servers, state, "train", *arguments) as process:
        assert process.stderr is not None
        assert any(line.startswith("earlier labels, 20 of") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        output = process.stderr.read()
        assert process.wait(60) == 130
    return output


MOMENT = (START + APART * TAUGHT).isoformat()


@dataclass(frozen=True)
class Champion:
    """The model of the history as known at MOMENT, in force; `told` is what `train` printed."""

    state: Path
    told: dict[str, Any]


@pytest.fixture(scope="module")
def champion(history: Settings, tmp_path_factory: pytest.TempPathFactory) -> Champion:
    state = tmp_path_factory.mktemp("champion")
    return Champion(state, answer(history, state, "train", "--as-known-at", MOMENT))


def test_an_interrupted_training_goes_on_as_of_its_own_moment_whatever_came_since(
    history: Settings, champion: Champion, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    output = interrupted(history, state, "--no-promote", "--as-known-at", MOMENT)
    assert "`retrace train --resume` continues" in output
    (folder,) = (state / "training").iterdir()
    assert read_run(folder).asked.as_known_at == from_rfc3339(MOMENT)
    ingest(history, tmp_path, "later", 200)
    resumed = answer(history, state, "train", "--resume")
    alike = "model_id", "model_hash", "as_known_at", "transactions", "metrics"
    assert {name: resumed[name] for name in alike} == {name: champion.told[name] for name in alike}
    assert (resumed["promoted"], champion.told["promoted"]) == (False, True)
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


@pytest.fixture(scope="module")
def misled(history: Settings, champion: Champion) -> Settings:
    """The history goes on with payments that teach wrongly."""
    path = champion.state / "more.csv"
    answer(history, champion.state, "ingest", str(path), *misleading(path, TAUGHT, 4_000, 2_000))
    return history


def test_a_model_that_was_taught_wrongly_is_refused_and_told_of(
    misled: Settings, champion: Champion
) -> None:
    state, good = champion.state, champion.told
    assert (good["promoted"], good["refused"], good["gate"]["passed"]) == (True, None, True)
    with open_log(misled) as log:
        before = current_policy(log)
        bad = answer(misled, state, "train", status=NOT_IN_FORCE)
        assert not bad["promoted"]
        assert bad["refused"].startswith(("model in force: ", "cost: ", "fall: "))
        assert good["model_id"] in bad["refused"]
        after = current_policy(log)
        assert (after.model, after.thresholds) == (before.model, before.thresholds)
        raised = [decode(each.value).data for each in log.read(ALERTS)]
        (alert,) = [each for each in raised if isinstance(each, ModelAlertRaised)]
        assert (alert.measure, alert.model_id) == ("gate", bad["model_id"])
        assert alert.summary == f"not put in force: {bad['refused']}"


def test_watch_and_demo_keep_the_model_in_force_where_the_next_was_taught_wrongly(
    misled: Settings, champion: Champion
) -> None:
    good = champion.told["model_id"]
    watch = "models", "watch", "--once", "--promote", "--every", "1s"
    seen = answer(misled, champion.state, *watch, status=NOT_IN_FORCE)
    assert seen["reason"].startswith("scheduled: ")
    assert good in seen["trained"]["refused"]
    settings, said = misled.model_copy(update={"state_dir": champion.state}), list[str]()
    with open_log(misled) as log:
        stages = Stages(settings, log, now_us, said.append, bars=lambda: pytest.fail("no bars"))
        assert stages.train(DemoState()).model_id == good
        assert f"was refused: {seen['trained']['refused']}" in said[-1]
        model = current_policy(log).model
    assert model is not None
    assert model.model_id == good


def test_a_refused_model_can_be_forced_and_two_processes_report_its_trees(
    misled: Settings, champion: Champion
) -> None:
    asked = "train", "--force", "--workers", "2", "--json"
    with started(misled, champion.state, *asked) as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert "average precision" in err
    assert "all labels, 20 of" in err
    forced = json.loads(out)
    assert (forced["promoted"], forced["gate"]["passed"]) == (True, False)
    assert (champion.state / "models" / forced["model_hash"]).is_dir()
    assert not list((champion.state / "training").iterdir())
    with open_log(misled) as log:
        model = current_policy(log).model
    assert model is not None
    assert model.model_id == forced["model_id"]


def test_force_beside_no_promotion_is_refused(history: Settings, tmp_path: Path) -> None:
    with started(history, tmp_path, "train", "--no-promote", "--force") as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, "--force: puts the model in force" in err) == (1, True)
