"""Workload of the online states: router and writer over one store."""

from collections.abc import Callable
from functools import partial

from eventlog.batch import Record
from eventlog.port import EventLog, Position
from eventlog.topics import ENTITIES, TRANSACTIONS, Topic
from projections.faust.admission import DeadLetter, RecordAdmission
from projections.online.port import StateStore
from projections.online.rebuild_flags import RebuildFlags
from projections.online.router import Router, Send
from projections.online.writer import EntityWriter
from projections.ports import Workload


def online_workload(
    log: EventLog,
    send: Send,
    states: StateStore,
    admission: RecordAdmission,
    dead_letter: DeadLetter,
    again: Callable[[], None],
    take: Callable[[Topic, int, Record], None],
) -> Workload:
    """`again` has all partitions assigned once more, in place; `take` is given what was sent, for
    the shards that are this worker's own."""

    async def sent(shard: int, value: bytes) -> Position:
        position = await send(shard, value)
        take(ENTITIES, shard, (position.offset, None, value))
        return position

    flags = RebuildFlags(states, partial(log.ends, TRANSACTIONS))
    writer = EntityWriter(states, dead_letter, flags, partial(log.ends, ENTITIES), again)
    router = Router(states, admission, sent, again)
    # The writer is assigned first: it adopts the live generation.
    return Workload({ENTITIES: writer, TRANSACTIONS: router}, beside=[router.watch, writer.watch])
