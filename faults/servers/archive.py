"""Archive of the simulated log: what its worker would have written, as far as it has come.

What it assumes is what eventlog/archive promises: of each partition all from its beginning up to an
offset, with what counts by the first-wins rule. It outlives the log.
"""

from dataclasses import dataclass, field

from domain.errors import NotFoundError, RetraceError, UnavailableError
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.codec import decode
from eventlog.index.blocks import Reached, mark_of
from eventlog.index.entries import about, entry_of, name_of, sorted_pairs
from eventlog.index.ports import ArchivedEntries
from eventlog.port import Recorded
from eventlog.topics import TRANSACTIONS
from faults.loop.process import Process
from faults.servers.kafka import Cluster

_SECONDS = 0.05


@dataclass(slots=True)
class Part:
    """Of one partition: its records, and what of them counts, as (name, entry)."""

    records: list[Recorded] = field(default_factory=list)
    counting: list[tuple[int, int]] = field(default_factory=list)
    admission: Admission = field(default_factory=lambda: Admission(DictMemory()))


class ArchiveServer:
    """Of no use before `advance` was called."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.away_until = 0.0
        self.empty()

    def empty(self) -> None:
        self.parts = [Part() for _ in range(TRANSACTIONS.partitions)]

    def advance(self, partition: int, records: int) -> None:
        """Archives so many more, as far as there are."""
        part = self.parts[partition]
        held = self._cluster.partitions(TRANSACTIONS)[partition].since(len(part.records), records)
        for recorded in held:
            offset = recorded.position.offset
            part.records.append(recorded)
            try:
                envelope = decode(recorded.value)
            except RetraceError:
                continue
            found = about(envelope)
            if part.admission.admit(envelope, partition, offset) and found:
                part.counting.append((name_of(found[0]), entry_of(offset, found[1])))


class SimulatedArchive:
    """Implements eventlog.index.ports.Archived, for one process."""

    def __init__(self, server: ArchiveServer, process: Process) -> None:
        self._server, self._process = server, process
        self._trouble = server._cluster.trouble

    def next(self, partition: int) -> int:
        return len(self._part(partition).records)

    def entries(self, partition: int) -> ArchivedEntries:
        part = self._part(partition)
        if not part.records:
            raise NotFoundError("archive of partition", str(partition))
        last = part.records[-1]
        offset = last.position.offset
        reached = Reached(offset + 1, offset, mark_of(last.value))
        self._trouble.met["index from the archive"] += 1
        return ArchivedEntries(sorted_pairs(part.counting), reached)

    def record(self, partition: int, offset: int) -> Recorded:
        held = self._part(partition).records
        if offset >= len(held):
            raise NotFoundError("record", f"{partition}/{offset}")
        self._trouble.met["record from the archive"] += 1
        return held[offset]

    def _part(self, partition: int) -> Part:
        self._process.check()
        loop = self._trouble.loop
        loop.block(self._trouble.delay(_SECONDS))
        if self._server.away_until > loop.time():
            raise UnavailableError("archive", "does not answer")
        return self._server.parts[partition]
