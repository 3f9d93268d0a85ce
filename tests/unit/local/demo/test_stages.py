"""The demo trains a model once, and goes on with the one in force where the gate refused it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from commands.models.lifecycle import promote_model
from domain.events import ModelPromoted, Thresholds
from eventlog.in_memory import InMemoryEventLog
from local.demo.demo_state import DemoState
from local.demo.stages import Stages
from local.demo.subprocesses import CommandFailedError
from operations.training.results import NOT_IN_FORCE
from runtime.settings import Settings, load_settings

NOW = 1_700_000_000_000_000
TRAINED = {"model_id": "new", "frauds": 10, "genuine": 20, "promoted": True, "refused": None}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    servers = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "MONGODB_URL": "mongodb://127.0.0.1:1/none",
        "RETRACE_STATE_DIR": str(tmp_path),
    }
    for name, value in servers.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def trained(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, status: int, **output: Any
) -> tuple[DemoState, list[str]]:
    """What the stage ends with and says where `retrace train` prints that and ends so."""
    child = settings.state_dir / "child"
    child.write_text(f"#!/bin/sh\necho '{json.dumps(TRAINED | output)}'\nexit {status}\n")
    child.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(child))
    log, said = InMemoryEventLog(), list[str]()
    before = ModelPromoted(model_id="before", model_hash="b" * 64, feature_set="f")
    promote_model(log, before, Thresholds(review=0.1, step_up=0.2, decline=0.3), NOW)
    stages = Stages(settings, log, lambda: NOW, said.append, bars=lambda: pytest.fail("no bars"))
    return stages.train(DemoState()), said


def test_a_trained_model_decides(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    state, said = trained(settings, monkeypatch, 0)
    assert state.model_id == "new"
    assert "Model new is live: 10 frauds" in said[-1]


def test_where_it_was_refused_the_model_in_force_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, said = trained(
        settings, monkeypatch, NOT_IN_FORCE, promoted=False, refused="fall: so far"
    )
    assert state.model_id == "before"
    assert said[-1] == "Model new was refused: fall: so far. before stays live."


def test_a_training_that_failed_ends_the_demo(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandFailedError, match="exit code 1"):
        trained(settings, monkeypatch, 1)
