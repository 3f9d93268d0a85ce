"""Runs of candidates that declare features: by the command, recorded, repeated, beside others."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from commands.backtests import content_hash
from domain.events import ListEntry, PolicyContent
from operations.backtest.reports.page import page
from operations.backtest.runs.recorded import BacktestPorts
from runtime import settings
from runtime.composition import backtests
from tests.builders.decisions.backtests import (
    BUSY,
    DECLINED,
    FOLDER,
    SUM,
    asked_of,
    folder_of,
    paid,
    ports_of,
    repeated,
    tried,
)
from tests.builders.decisions.history import DecidedHistory, decided_history


def without(report: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in names}


async def test_figures_of_others_are_the_same_beside_a_candidate_that_declares(
    tmp_path: Path,
) -> None:
    plain, mine = folder_of(tmp_path, "plain", FOLDER), folder_of(tmp_path, "mine", DECLINED)
    reports = []
    with decided_history() as history:
        await paid(history)
        for number, folders in enumerate(((plain,), (plain, mine))):
            asked = replace(asked_of(*folders), closed_loop="card")
            found = tried(ports_of(history, tmp_path / str(number)), asked)
            reports.append(json.loads(found.report))
    alone, both = reports
    assert "declared_features" not in alone
    assert json.dumps(alone["baseline"]) == json.dumps(both["baseline"])
    for name in ("candidates", "compared", "apart", "estimates"):
        assert json.dumps(alone[name][0]) == json.dumps(both[name][0])
    for number in (0, 1):
        assert both["closed_loop"]["policies"][number] == alone["closed_loop"]["policies"][number]


def test_a_policy_without_features_keeps_the_hash_that_it_had_before_there_were_any() -> None:
    entries = {"sanctions": [ListEntry("Müller 1", None, "why")]}
    plain = PolicyContent(keys=["rules"], entries=entries, exploration=5)
    assert content_hash(plain) == (
        "bb04a49d93cb1b00ac26d7550e1ce30df6882d1e357e1d0a2ff5d72a111b74ed"
    )
    assert content_hash(replace(plain, features="{}")) != content_hash(plain)


@contextmanager
def command_over(
    history: DecidedHistory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Calls `retrace backtest` over a history in memory."""

    @contextmanager
    def opened(_: Any, __: str = "local") -> Iterator[BacktestPorts]:
        yield ports_of(history, folder)

    given = SimpleNamespace(token_key=bytes(32))
    monkeypatch.setattr(backtests, "open_backtests", opened)
    monkeypatch.setattr(settings, "load_settings", lambda: given)

    def call(*words: str) -> str:
        found = CliRunner().invoke(app, ["backtest", *words])
        assert found.exit_code == 0, (found.output, found.exception)
        return found.output

    yield call


async def test_the_command_tries_reports_records_and_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = folder_of(tmp_path, "mine", BUSY), folder_of(tmp_path, "other", SUM)
    period = ("--from", "2023-10-01T00:00:00Z", "--to", "2023-10-02T00:00:00Z")
    with decided_history() as history:
        await paid(history)
        with command_over(history, tmp_path / "kept", monkeypatch) as command:
            out = command(
                *("--policy", str(mine), "--policy", str(other), *period),
                *("--sweep", "busy.mine=1:3:1", "--closed-loop", "--report", str(tmp_path / "out")),
            )
            named = out.rsplit("repeat ", 1)[1].strip()
            for folder in (mine, other):
                (folder / "policy.yaml").write_text("rules: []")
            await history.pay("late", 900, "2023-10-01T13:00:00Z", card_id="card-1")
            again = command("repeat", named, "--report", str(tmp_path / "again"))
        finished = repeated(ports_of(history, tmp_path / "kept"), named).finished
    assert "policy.busy" in out
    assert "identical" in again
    one, two = (tmp_path / name / "report.json" for name in ("out", "again"))
    assert one.read_bytes() == two.read_bytes()
    report = json.loads(one.read_bytes())
    declared = report["declared_features"]
    assert [each["aggregation"] for (each,) in declared.values()] == ["count", "sum"]
    assert [each["decisions"]["decline"] for each in report["candidates"]] == [4, 3]
    assert "declared_" not in json.dumps(without(report, "declared_features"))
    html = page(report, finished.fact)
    assert "Features that are not in the catalogue" in html
    assert "payments of the card in the last 2 hours" in html
