"""State of the demo between runs, as a JSON file. The log decides whether it is still true."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from host.state_folder import read_json, write_json
from local.demo.plan import HistoryPlan


@dataclass(frozen=True, slots=True)
class DemoState:
    """`history` is set before its first event is appended, `transactions` once all are in the log.

    `data` identifies the file that was imported instead; each kind has a JSON file of its own.
    `model_id` is the model trained on it.
    """

    history: HistoryPlan | None = None
    data: str | None = None
    transactions: int | None = None
    model_id: str | None = None
    next_day: int = 0
    live_until_us: int = 0


def load(state_dir: Path, of_data: bool = False) -> DemoState:
    """What was saved last; empty if the file is missing, torn, or of another version."""
    found: dict[str, Any] = read_json(_file(state_dir, of_data))
    try:
        plan = found.pop("history", None)
        return DemoState(history=HistoryPlan(**plan) if plan else None, **found)
    except TypeError:
        return DemoState()


def save(state_dir: Path, state: DemoState) -> None:
    path = _file(state_dir, state.data is not None)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(state))


def _file(state_dir: Path, of_data: bool) -> Path:
    return state_dir / "demo" / ("data.json" if of_data else "history.json")
