"""Port of an experiment tracker: runs with their parameters, metrics and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Run:
    """`artifacts` is the URI that the server has given to the run's folder."""

    run_id: str
    artifacts: str
    tags: Mapping[str, str]


class TrackingServer(Protocol):
    """Every call raises UnavailableError, which names the server, where it is away or refuses.

    Times are milliseconds since the epoch.
    """

    @property
    def place(self) -> str:
        """Where it is, for messages, without a password."""
        ...

    def experiment(self, name: str) -> str:
        """Its id; made where it is not there."""
        ...

    def begin(self, experiment_id: str, name: str, tags: Mapping[str, str], at: int) -> Run: ...

    def log(
        self, run: Run, params: Mapping[str, object], metrics: Mapping[str, float], at: int
    ) -> None: ...

    def end(self, run: Run, at: int, status: str) -> None:
        """`status` is FINISHED or FAILED."""
        ...

    def run(self, run_id: str) -> Run:
        """Raises NotFoundError."""
        ...

    def put(self, run: Run, path: str, content: bytes) -> None:
        """Raises SettingsError where the server has no proxy for artefacts."""
        ...

    def get(self, run: Run, path: str) -> bytes:
        """Raises NotFoundError."""
        ...
