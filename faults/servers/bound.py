"""Bindings to the log: of a host's disk, of Redis and of PostgreSQL."""

from eventlog.binding.bound import BoundStore, TopicIds
from faults.loop.process import Process
from faults.servers.disk import Disk
from faults.servers.postgres import PostgresServer
from faults.servers.redis import Keyspace, SimulatedStates


class BoundDisk:
    """Implements eventlog.binding.bound.BoundStore; what is bound outlives a loss of power."""

    place, remedy = "the memory of ids", "remove it"

    def __init__(self, disk: Disk, process: Process) -> None:
        self._disk, self._process = disk, process

    def bound(self, ids: TopicIds) -> TopicIds:
        self._process.check()
        return _kept(self._disk.bound, ids)


class BoundKeyspace:
    """Implements eventlog.binding.bound.BoundStore."""

    place, remedy = "what Redis holds of the online states", "empty it"

    def __init__(self, states: SimulatedStates) -> None:
        self._states = states

    def bound(self, ids: TopicIds) -> TopicIds:
        def keep(holds: Keyspace) -> TopicIds:
            return _kept(holds.bound, ids)

        return self._states.asked(keep)


class BoundTables:
    """Implements eventlog.binding.bound.BoundStore."""

    place, remedy = "the database of the read models", "empty it"

    def __init__(self, server: PostgresServer, process: Process) -> None:
        self._server, self._process = server, process

    def bound(self, ids: TopicIds) -> TopicIds:
        return self._server.transaction(self._process, lambda: _kept(self._server.bound, ids))


def _kept(held: dict[str, str], ids: TopicIds) -> dict[str, str]:
    for topic, each in ids.items():
        held.setdefault(topic, each)
    return dict(held)


def bound_stores(
    kind: str, disk: Disk, states: SimulatedStates, postgres: PostgresServer, process: Process
) -> tuple[list[BoundStore], list[BoundStore]]:
    """As runtime.processes.binding: what is needed, and what is watched besides."""
    memories: list[BoundStore] = [BoundDisk(disk, process)]
    if kind == "features":
        return [*memories, BoundKeyspace(states)], []
    if kind in ("readmodels", "offline"):
        return [*memories, BoundTables(postgres, process)], []
    return memories, [BoundKeyspace(states)]
