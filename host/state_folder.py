"""State folder of an installation: where its files lie, reading and writing them, its lock."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from host.files import whole_file
from host.processes import ProcessId


@dataclass(frozen=True)
class StateFolder:
    """`record` is written by the supervisor alone, `wanted` by whoever commands it."""

    root: Path

    @property
    def record(self) -> Path:
        return self.root / "run" / "stack.json"

    @property
    def wanted(self) -> Path:
        return self.root / "run" / "wanted.json"

    @property
    def ports(self) -> Path:
        return self.root / "run" / "ports.json"

    @property
    def lock(self) -> Path:
        return self.root / "run" / "command.lock"

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def ready_file(self, name: str) -> Path:
        return self.root / "run" / f"{name}.ready"

    def data(self, name: str) -> Path:
        return self.root / name

    def create(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        # The record holds passwords.
        self.record.parent.mkdir(mode=0o700, exist_ok=True)
        self.log("").parent.mkdir(exist_ok=True)


def write_json(path: Path, content: Any) -> None:
    """A reader sees the old content or the new. Raises OSError."""
    with whole_file(path, durable=False) as draft:
        draft.write_text(json.dumps(content, indent=1))


def read_json(path: Path) -> dict[str, Any]:
    """The content, or nothing where the file is missing or was never completed."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def supervisor_of(record: dict[str, Any]) -> ProcessId | None:
    """The supervisor that wrote a record, if it is alive."""
    recorded = ProcessId.from_json(record.get("supervisor"))
    return recorded if recorded and recorded.alive() else None


def published(state_dir: Path) -> dict[str, Any]:
    """Settings that a running stack gives to clients, by field name; nothing when none runs."""
    record = read_json(StateFolder(state_dir).record)
    return dict(record.get("published", {})) if supervisor_of(record) else {}


@contextlib.contextmanager
def command_lock(folder: StateFolder, waiting: Callable[[], None]) -> Iterator[None]:
    """One `up` or `down` at a time per state folder. The kernel frees it when its holder dies."""
    folder.create()
    lock = FileLock(folder.lock, fallback_to_soft=False)
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        waiting()
        held = lock.acquire()
    with held:
        yield
