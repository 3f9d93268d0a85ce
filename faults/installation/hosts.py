"""Hosts: each with a disk and a clock of its own; and the servers that all of them share."""

from dataclasses import dataclass, field

from eventlog.topics import INBOX_TRANSACTIONS
from faults.installation.receiver import Receiver
from faults.loop.process import Process
from faults.loop.seeded_loop import SeededLoop
from faults.servers.archive import ArchiveServer
from faults.servers.disk import Disk, FileMemory
from faults.servers.kafka import Cluster
from faults.servers.kafka_group import Group
from faults.servers.postgres import PostgresServer
from faults.servers.redis import RedisServer
from faults.servers.trouble import Trouble


@dataclass(slots=True)
class Host:
    """`skew` is how many seconds its clock is ahead of the true one."""

    name: str
    skew: float = 0.0
    disk: Disk = field(default_factory=Disk)


class Servers:
    """Everything that is asked over the network."""

    def __init__(self, loop: SeededLoop) -> None:
        self.loop = loop
        self.trouble = Trouble(loop)
        self.cluster = Cluster(self.trouble)
        self.archive = ArchiveServer(self.cluster)
        self.redis = RedisServer(self.trouble)
        self.postgres = PostgresServer(self.trouble)
        self.receiver = Receiver(self.trouble)
        self.groups: dict[str, Group] = {}
        # Partitions of the inbox exist before anybody writes to them.
        self.cluster.partitions(INBOX_TRANSACTIONS)

    def empty(self) -> None:
        """Nothing is left of the log, nor of what was made from it, but its archive."""
        self.cluster.recreate()
        self.redis.empty()
        self.postgres.empty()
        self.receiver.posts.clear()
        self.groups.clear()

    def group(self, name: str, sole: bool = False) -> Group:
        if name not in self.groups:
            self.groups[name] = Group(self.cluster, sole)
            self.groups[name].watch()
        return self.groups[name]


def memory_of(servers: Servers, host: Host, process: Process, name: str) -> FileMemory:
    """A memory of ids in a file of the process."""
    return FileMemory(host.disk.file(f"{process.name}-{name}"), process, servers.trouble)
