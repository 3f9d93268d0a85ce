"""Workload of the online states: router and writer over one store."""

from collections.abc import Callable
from functools import partial

from eventlog.port import EventLog
from eventlog.topics import ENTITIES, TRANSACTIONS
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
) -> Workload:
    """`again` has all partitions assigned once more, in place."""

    flags = RebuildFlags(states, partial(log.ends, TRANSACTIONS))
    writer = EntityWriter(states, dead_letter, flags, partial(log.ends, ENTITIES), again)
    router = Router(states, admission, send, again)
    # The writer is assigned first: it adopts the live generation.
    return Workload({ENTITIES: writer, TRANSACTIONS: router}, beside=[router.watch, writer.watch])
