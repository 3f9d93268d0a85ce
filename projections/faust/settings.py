"""Settings of a worker."""

from dataclasses import dataclass
from pathlib import Path

from eventlog.settings import KafkaSettings

_ONE_MEGABYTE = 1_048_576
_GATHERED = 262_144
GATHERING_MS = 1_000
"""Read models may be that much behind: a batch costs a wake-up and a transaction, however small."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`kafka` is the log; `state_dir` holds ledgers and scratch.

    `fetch_wait_ms` bounds how long the broker gathers records before it answers a fetch, unless
    there are `fetch_gathered` bytes of them before; a quiet topic is read that much later. With
    `first_at_once` it answers at once for the first records of a quiet time.
    `session_seconds` is how long a killed worker keeps its partitions from the next one.
    A partition that stands still for `stall_seconds`, or one batch or assignment that takes longer
    than `slow_seconds`, ends the process, so that its supervisor restarts it.
    A worker that comes back under the same `instance` has its partitions at once, without waiting
    for its dead predecessor's session.
    With `sole_owner` one member of the group gets all partitions, and the others stand by.
    """

    kafka: KafkaSettings
    state_dir: Path
    fetch_wait_ms: int = GATHERING_MS
    fetch_gathered: int = _GATHERED
    first_at_once: bool = False
    fetch_bytes: int = _ONE_MEGABYTE
    session_seconds: float = 10.0
    stall_seconds: float = 30.0
    slow_seconds: float = 120.0
    instance: str | None = None
    sole_owner: bool = False

    @property
    def ledgers(self) -> Path:
        return self.state_dir / "ledger"
