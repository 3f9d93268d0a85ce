"""Owns what a state folder remembers of its demos; whether it is still so is asked of the log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from host.state_folder import read_json, write_json
from local.demo.plan import HistoryPlan


@dataclass(frozen=True, slots=True)
class Remembered:
    """`history` is written before the first of its events; `transactions` once all are in.

    `data` names the file that was laid down instead: the two are remembered side by side.
    `model_id` is the model trained on it.
    """

    history: HistoryPlan | None = None
    data: str | None = None
    transactions: int | None = None
    model_id: str | None = None
    next_day: int = 0
    live_until_us: int = 0


def load(state_dir: Path, of_data: bool = False) -> Remembered:
    """What was saved last; nothing where the file is missing or of another version."""
    found: dict[str, Any] = read_json(_file(state_dir, of_data))
    try:
        plan = found.pop("history", None)
        return Remembered(history=HistoryPlan(**plan) if plan else None, **found)
    except TypeError:
        return Remembered()


def save(state_dir: Path, remembered: Remembered) -> None:
    path = _file(state_dir, remembered.data is not None)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(remembered))


def _file(state_dir: Path, of_data: bool) -> Path:
    return state_dir / "demo" / ("data.json" if of_data else "history.json")
