"""The scoring agent: nothing stays undecided, whatever else lies under the same id."""

from __future__ import annotations

import asyncio

from commands.agents.scoring_agent import DecidingHandler
from domain.events import TransactionScored
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.builders.worker_pieces import batches_of
from tests.fakes.deciding import deciding_process
from tests.fakes.events import scored, submitted


def test_a_void_decision_for_other_content_leaves_the_id_to_be_decided() -> None:
    async def run() -> None:
        log = InMemoryEventLog()
        rescued: asyncio.Queue[str] = asyncio.Queue()
        # Its process died before it decided; another one had scored other content meanwhile.
        for envelope in (submitted("t-1", "a"), submitted("t-1", "b"), scored("t-1", "b")):
            await log.append(TRANSACTIONS, "t-1", envelope)
        with deciding_process(log) as context:
            handler = DecidingHandler(
                log, context.ledger, SqliteMemory(None), rescued.put, "test", context.clock, 0.01
            )
            (read,) = batches_of(log, TRANSACTIONS)
            assert isinstance(decode(read.records[-1][2] or b"").data, TransactionScored)
            await handler.handle(read)
            watching = asyncio.create_task(handler.watch())
            assert await asyncio.wait_for(rescued.get(), 5) == "t-1"
            watching.cancel()

    asyncio.run(run())
