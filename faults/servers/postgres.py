"""PostgreSQL: transactions that commit whole or not at all, fenced by an epoch per partition."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from domain.errors import FencedError, UnavailableError
from domain.features import CATALOGUE, FeatureSet
from eventlog.codec import encode
from eventlog.topics import TRANSACTIONS
from faults.loop.process import Process
from faults.servers.trouble import Trouble
from projections.offline.port import Written
from projections.offline.unwritten import Unwritten
from projections.ports import CheckedRecord, RecordStatus, UnfoldableError

Answer = TypeVar("Answer")
_HOP = 0.004
_TIMEOUT_SECONDS = 1.0
_NO_NUL = "PostgreSQL text cannot hold NUL"


@dataclass(slots=True)
class Positions:
    """Of one projection: epochs, next offsets and counts per partition."""

    epochs: Counter[int] = field(default_factory=Counter)
    next: Counter[int] = field(default_factory=Counter)
    statuses: dict[tuple[int, int], RecordStatus] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VectorRow:
    time: int
    known: int
    values: tuple[float, ...]


class PostgresServer:
    """Tables of the projections. While it is away, nothing is answered."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.away_until = 0.0
        self.empty()

    def empty(self) -> None:
        self.bound: dict[str, str] = {}
        self.projections: dict[str, Positions] = {}
        self.vectors: dict[str, VectorRow] = {}
        self.offline, self.offline_epoch = Unwritten(), 0

    def go_away(self, seconds: float) -> None:
        self.away_until = self.trouble.loop.time() + seconds

    def offline_next(self, partition: int) -> int:
        """The offset that follows what the offline vectors hold."""
        held = self.offline.progress.get(partition)
        return held.next if held else 0

    def transaction(self, process: Process, change: Callable[[], Answer]) -> Answer:
        """Commits what `change` does; where that raises, it has done nothing."""
        trouble = self.trouble
        process.check()
        trouble.loop.block(trouble.delay(_HOP))
        process.check()
        if self.away_until > trouble.loop.time():
            trouble.met["postgresql away"] += 1
            trouble.loop.block(_TIMEOUT_SECONDS)
            raise UnavailableError("postgresql", "does not answer")
        answer = change()
        trouble.done(process)
        if trouble.answer_is_lost():
            raise UnavailableError("postgresql", "the connection was lost while committing")
        trouble.loop.block(trouble.delay(_HOP))
        return answer


class SimulatedProjection:
    """Implements projections.ports.BatchProjection: keeps the status of each record."""

    def __init__(self, server: PostgresServer, process: Process, name: str, topic: str) -> None:
        self._server, self._process = server, process
        self.name, self.topic = name, topic
        self._positions = server.projections.setdefault(name, Positions())
        self._owned: dict[int, int] = {}

    def assign(self, partition: int) -> int:
        return self._server.transaction(self._process, lambda: self._taken(partition))

    def project(self, batches: Mapping[int, Sequence[CheckedRecord]]) -> None:
        self._server.transaction(self._process, lambda: self._projected(batches))

    def revoke(self, partition: int) -> None:
        self._owned.pop(partition, None)

    def _taken(self, partition: int) -> int:
        self._positions.epochs[partition] += 1
        self._owned[partition] = self._positions.epochs[partition]
        return self._positions.next[partition]

    def _projected(self, batches: Mapping[int, Sequence[CheckedRecord]]) -> None:
        fresh: list[CheckedRecord] = []
        for partition, batch in batches.items():
            if self._owned.get(partition) != self._positions.epochs[partition]:
                raise FencedError(f"partition {partition} of {self.name} is not ours")
            start = self._positions.next[partition]
            fresh += [each for each in batch if each.position.offset >= start]
        if refused := {each.position: _NO_NUL for each in fresh if _holds_nul(each)}:
            raise UnfoldableError(refused)
        for each in fresh:
            place = each.position
            self._positions.statuses[place.partition, place.offset] = each.status
            self._positions.next[place.partition] = place.offset + 1


def _holds_nul(record: CheckedRecord) -> bool:
    """PostgreSQL's text takes every character but this one."""
    envelope = record.envelope if record.status == "counts" else None
    return envelope is not None and b"\\u0000" in encode(envelope)


ANEW = "vector made anew"


class SimulatedVectors:
    """Implements projections.offline.port.VectorStore."""

    features: FeatureSet = CATALOGUE

    def __init__(self, server: PostgresServer, process: Process) -> None:
        self._server, self._process = server, process
        self._epoch = 0

    def take_over(self) -> dict[int, int]:
        return self._server.transaction(self._process, self._taken)

    def write(self, written: Written) -> None:
        self._server.transaction(self._process, lambda: self._written(written))

    def _taken(self) -> dict[int, int]:
        self._server.offline_epoch += 1
        self._epoch = self._server.offline_epoch
        return {p: self._server.offline_next(p) for p in range(TRANSACTIONS.partitions)}

    def _written(self, written: Written) -> None:
        server = self._server
        if not self._epoch or self._epoch != server.offline_epoch:
            raise FencedError("the offline vectors have another owner")
        if any(server.offline_next(p) >= now.next for p, now in written.progress.items()):
            return
        for rows in written.rows:
            # Alone, for no position moves.
            server.trouble.met[ANEW] += 0 if written.progress else len(rows)
            for at, name in enumerate(rows.ids):
                values = tuple(rows.values[at].tolist())
                server.vectors[name] = VectorRow(rows.times[at], rows.known[at], values)
        server.offline.add(Unwritten(dict(written.progress), dict(written.tallies)))
