"""Backtests over a history of decisions in memory, with models that weigh two features."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from commands.models.registry import registry_of
from domain.features import FeatureSet, Inputs
from domain.times import from_rfc3339
from operations.backtest.policies.past import Floats
from operations.backtest.policies.policy import written
from operations.backtest.policies.run import Asked
from operations.backtest.policies.sweep import parse_sweep
from operations.backtest.runs.recorded import (
    BacktestPorts,
    Finished,
    Repeated,
    repeat_backtest,
    run_backtest,
)
from operations.models.lifecycle import Models
from tests.builders.decisions.history import LANGUAGE, MODELS, DecidedHistory
from tests.builders.decisions.whole_past import nothing

BEGIN, END = from_rfc3339("2023-10-01T00:00:00Z"), from_rfc3339("2023-10-02T00:00:00Z")
FOLDER = """
rules:
  - name: busy
    code: busy
    words: "{card_count_1h} payments"
    when: card_count_1h >= 2.0 && amount > 1.0
    action: decline
    severity: high
    owner: me
lists: []
"""

COUNT = """
features:
  - name: mine
    meaning: payments of the card in the last 2 hours
    entity: card
    aggregation: count
    window: 2h
    resolution: 2m
"""
BUSY = COUNT + FOLDER.replace("card_count_1h", "mine")
SUM = BUSY.replace("aggregation: count", "aggregation: sum").replace("mine >= 2.0", "mine >= 250.0")
DECLINED = BUSY.replace("resolution: 2m", "resolution: 2m\n    filter: declined")


def folder_of(root: Path, name: str, text: str) -> Path:
    (root / name).mkdir()
    (root / name / "policy.yaml").write_text(text)
    return root / name


def scored(model_hash: str, features: FeatureSet, values: Floats) -> tuple[Floats, bool]:
    model = next(each for each in MODELS if each.model_hash == model_hash)
    places = model.inputs.places(features)
    rows = values[:, places].tolist()
    known = [[None if value != value else value for value in row] for row in rows]
    return np.array([model.value(row) for row in known]), True


def inputs_of(model_hash: str) -> Inputs:
    return next(each for each in MODELS if each.model_hash == model_hash).inputs


class _Store:
    """Of no files: it tells what a model looks at."""

    def open(self, model_hash: str) -> Any:
        return SimpleNamespace(manifest=SimpleNamespace(inputs=inputs_of(model_hash)))


def tried(ports: BacktestPorts, asked: Asked, **options: Any) -> Finished:
    return run_backtest(ports, asked, nothing, nothing, nothing, **options)


def repeated(ports: BacktestPorts, named: str) -> Repeated:
    return repeat_backtest(ports, named, nothing, nothing, nothing)


def ports_of(history: DecidedHistory, folder: Path) -> BacktestPorts:
    """As the log is now; columns of interrupted runs lie in `folder`."""
    load = history.ports.load
    models = Models(history.log, cast(Any, _Store()), registry_of(history.log), load)
    return BacktestPorts(models, history.ports.history, LANGUAGE, scored, folder, "ann")


def asked_of(*folders: Path, sweep: str = "") -> Asked:
    said = [written(each, LANGUAGE, lambda _, text: [text]) for each in folders]
    return Asked(said, BEGIN, END, sweep=parse_sweep(sweep) if sweep else None)


async def paid(history: DecidedHistory) -> None:
    """Six payments of one card, of which the first four are frauds and the last is genuine."""
    history.promote(0, 0.5)
    for number in range(6):
        at = f"2023-10-01T12:0{number}:00Z"
        await history.pay(f"t-{number}", 100, at, card_id="card-1", mcc="5411", channel="ecom")
    for number in range(4):
        history.label(f"t-{number}", 1, "card-1")
    history.label("t-5", 0, "card-1")
