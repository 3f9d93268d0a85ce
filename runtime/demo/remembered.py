"""Owns what a state folder remembers of its demos; whether it is still so is asked of the log."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from runtime.demo.plan import HistoryPlan
from runtime.stack.state import read_json, write_json


@dataclass(frozen=True, slots=True)
class Remembered:
    """`history` is written before the first of its events; `transactions` once all are in.

    `data` names the file that was laid down instead. `model_id` is the model trained on it.
    """

    history: HistoryPlan | None = None
    data: str | None = None
    transactions: int | None = None
    model_id: str | None = None
    next_day: int = 0
    live_until_us: int = 0

    def with_live(self, next_day: int, until_us: int) -> Remembered:
        return replace(self, next_day=next_day, live_until_us=until_us)


def load(state_dir: Path) -> Remembered:
    """What was saved last; nothing where the file is missing or of another version."""
    found: dict[str, Any] = read_json(_file(state_dir))
    try:
        plan = found.pop("history", None)
        return Remembered(history=HistoryPlan(**plan) if plan else None, **found)
    except TypeError:
        return Remembered()


def save(state_dir: Path, remembered: Remembered) -> None:
    path = _file(state_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(remembered))


def _file(state_dir: Path) -> Path:
    return state_dir / "demo" / "demo.json"
