"""`retrace policy` over a log in memory: drafts, sets of all kinds, and the way back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from commands.intake.tokens import Tokeniser
from commands.policy.adapters.cel import CelLanguage
from domain.cleaning.list_keys import list_keys
from domain.errors import InvalidInputError
from domain.rule_values import TYPES
from eventlog.in_memory import InMemoryEventLog
from operations.policy.publishing import RulePublisher
from runtime import settings
from runtime.composition import models

POLICY = """\
thresholds: {review: 0.4, step_up: 0.7, decline: 0.9}
exploration: {share: 0.5%}
suppressions:
  - {name: test, merchants: [m-1], from: 2026-01-31, until: 2026-02-01, reason: a test, owner: ann}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    log = InMemoryEventLog()
    clean = partial(list_keys, tokenise=Tokeniser(bytes(16)))

    @contextmanager
    def opened(_: Any) -> Iterator[RulePublisher]:
        yield RulePublisher(log, CelLanguage(TYPES), clean, "ann")

    monkeypatch.setattr(models, "open_publisher", opened)
    monkeypatch.setattr(settings, "load_settings", lambda: None)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "policy.yaml").write_text(POLICY)
    yield tmp_path
    log.close()


def told(*words: str) -> str:
    found = CliRunner().invoke(app, ["policy", *words])
    assert found.exit_code == 0, found.output
    return found.output


def test_a_draft_is_looked_at_published_and_taken_back(folder: Path) -> None:
    assert "1 suppressions, thresholds, exploration, nothing wrong" in told("lint", str(folder))
    told("draft", str(folder), "--name", "weekend", "--reason", "look")
    (draft,) = json.loads(told("drafts", "--json"))
    assert (draft["draft"], draft["by"], draft["position"]) == ("weekend", "ann", 0)
    assert "added thresholds" in told("diff", "--draft", "weekend")
    done = told("publish", "--draft", "weekend", "--reason", "go")
    assert "thresholds review 0.4, step_up 0.7, decline 0.9 are in force, version 1" in done
    assert "exploration of 0.5 % is in force, version 1" in done
    assert "1 suppressions are in force, version 1" in done
    assert "already" in told("publish", str(folder), "--reason", "again")
    shown = told("show")
    assert "merchants m-1" in shown
    assert "2026-02-01T00:00:00Z" in shown
    assert "exploration of 0.5 %" in shown
    assert json.loads(told("show", "--json"))["exploration"]["exploration"] == 50
    assert json.loads(told("show", "--json"))["thresholds"]["thresholds"]["review"] == 0.4
    assert "no thresholds but the model's is" in told("publish", "--at", "0", "--reason", "back")
    kinds = [each["version"] for each in json.loads(told("history", "--json"))]
    assert kinds == [2, 2, 2, 1, 1, 1]
    assert "a test" not in told("show")


@pytest.mark.parametrize("given", [["publish", "--reason", "x"], ["diff"]])
def test_one_source_is_taken_at_a_time(folder: Path, given: list[str]) -> None:
    for sources in ([], [str(folder), "--draft", "a"]):
        found = CliRunner().invoke(app, ["policy", *given, *sources])
        assert isinstance(found.exception, InvalidInputError)
