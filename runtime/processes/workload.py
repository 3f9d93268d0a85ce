"""Workload of a worker, and what it is built from."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.batch import Record
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS, Topic
from host.clock import now_us
from projections.faust.admission import DeadLetter, RecordAdmission, setting_aside
from projections.faust.membership import Membership
from projections.faust.progress import Progress
from projections.faust.settings import WorkerSettings
from projections.ports import Workload
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Tools:
    """What a workload is built from; `closing` closes in reverse order when the worker ends.

    `again` has all partitions assigned once more, in place, and `take` is given what the process
    has appended to topics of its own: see Worker.
    """

    name: str
    settings: Settings
    worker: WorkerSettings
    membership: Membership
    progress: Progress
    log: KafkaEventLog
    closing: ExitStack
    again: Callable[[], None]
    take: Callable[[Topic, int, Record], None]

    def hold(self, topic: Topic, partition: int, on: bool) -> None:
        """Stops fetching a partition until it is resumed, or assigned anew."""
        full_name = self.worker.kafka.topic_prefix + topic.name
        self.membership.hold(full_name, partition, on)
        held = self.progress.held
        (held.add if on else held.discard)((full_name, partition))

    def dead_letter(self) -> DeadLetter:
        """Sends a record that this worker cannot process to the dead-letter topic."""
        set_aside = setting_aside(self.log, self.name, self.settings.dead_letter_key, now_us)

        async def counted(position: Position, original: bytes, reason: str) -> None:
            await set_aside(position, original, reason)
            self.progress.observer.set_aside()

        return counted

    def admission(self, topic: Topic) -> RecordAdmission:
        """Positions; for TRANSACTIONS also the ids seen, since voids occur in that topic alone."""
        path = self.worker.ledgers / f"{self.name}.sqlite"
        memory = partial(SqliteMemory, path) if topic is TRANSACTIONS else None
        admission = RecordAdmission(topic.name, memory, self.dead_letter())
        self.closing.callback(admission.close)
        return admission


Build = Callable[[Tools], Workload]
