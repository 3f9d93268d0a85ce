"""Scoring agent: decides what nobody has decided, once, and raises alerts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from commands import Context, DecideTransaction, decide_transaction
from commands.agents.scoring_agent import ScoringAgent
from domain.errors import LogUnavailableError, UnavailableError
from domain.events import AlertRaised, Envelope, TransactionScored
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS, TRANSACTIONS, Topic
from tests.builders.workers.pieces import batches_of
from tests.fakes.deciding import deciding_process
from tests.fakes.events import scored, submitted

ALL = set(range(TRANSACTIONS.partitions))


def _nobody() -> None:
    return


class Agent:
    """A ScoringAgent over real decisions; `asked` tells the ids, `trouble` is raised first."""

    def __init__(self, log: InMemoryEventLog, context: Context, grace: float) -> None:
        self.log, self.context = log, context
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.trouble: list[Exception] = []
        self.positions = SqliteMemory(None)
        self.handler = ScoringAgent(
            *(log, context.ledger, self.positions, self._decide, "agent", context.clock),
            *(_nobody, grace, 0.0),
        )

    async def _decide(self, transaction_id: str) -> None:
        self.asked.put_nowait(transaction_id)
        if self.trouble:
            raise self.trouble.pop(0)
        await decide_transaction(DecideTransaction(transaction_id), self.context)

    async def append(self, *envelopes: Envelope) -> None:
        for each in envelopes:
            at = await self.log.append(TRANSACTIONS, each.subject, each)
            await self.context.ledger.passed(at.partition, at.offset)

    async def left(self, *envelopes: Envelope) -> None:
        """Appends what an earlier life has read, and not decided."""
        await self.append(*envelopes)
        self.positions.commit(dict(enumerate(await self.log.ends(TRANSACTIONS))))

    async def read(self) -> None:
        """Everything that the log holds by now, from its beginning."""
        for each in batches_of(self.log, TRANSACTIONS):
            await self.handler.handle([each])

    def events(self, topic: Topic, kind: type) -> list[Envelope]:
        envelopes = [decode(recorded.value) for recorded in self.log.read(topic)]
        return [each for each in envelopes if isinstance(each.data, kind)]


@asynccontextmanager
async def agent(log: InMemoryEventLog | None = None, grace: float = 0.0) -> AsyncIterator[Agent]:
    log = log or InMemoryEventLog()
    with deciding_process(log) as context:
        agent = Agent(log, context, grace)
        yield agent
        agent.positions.close()


@asynccontextmanager
async def watching(agent: Agent) -> AsyncIterator[None]:
    task = asyncio.create_task(agent.handler.decide_overdue())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_was_submitted_for_later_is_decided_as_it_is_read_and_once() -> None:
    async with agent() as it:
        await it.append(submitted("a", mode="submit"), submitted("b", mode="submit"))
        await it.handler.assign(ALL)
        await it.read()
        await it.read()
        assert {each.subject for each in it.events(TRANSACTIONS, TransactionScored)} == {"a", "b"}
        assert it.asked.qsize() == 2


async def test_what_another_process_took_is_its_own_for_the_time_of_grace() -> None:
    async with agent(grace=3600.0) as it:
        await it.append(submitted("a", mode="score"))
        await it.handler.assign(ALL)
        async with watching(it):
            await it.read()
            for _ in range(20):
                await asyncio.sleep(0)
        assert it.asked.empty()


async def test_after_the_grace_the_agent_decides_in_its_place() -> None:
    async with agent() as it:
        await it.handler.assign(ALL)
        await it.append(submitted("a", mode="score"))
        await it.read()
        async with watching(it):
            assert await asyncio.wait_for(it.asked.get(), 10) == "a"
            await it.context.ledger.passed(it.log.partition_of(TRANSACTIONS, "a"), 1)
        assert await it.context.ledger.undecided() == {}


async def test_what_was_left_undecided_before_a_restart_is_due_from_the_assignment_on() -> None:
    async with agent() as it:
        await it.left(submitted("a", mode="score"))
        await it.handler.assign(ALL)
        async with watching(it):
            assert await asyncio.wait_for(it.asked.get(), 10) == "a"


async def test_a_rescue_is_tried_again_when_a_server_is_away() -> None:
    async with agent() as it:
        it.trouble = [UnavailableError("redis", "away"), UnavailableError("redis", "away")]
        await it.left(submitted("a", mode="score"))
        await it.handler.assign(ALL)
        async with watching(it):
            for _ in range(3):
                assert await asyncio.wait_for(it.asked.get(), 10) == "a"
        assert it.trouble == []


async def test_what_belongs_to_another_worker_is_not_rescued() -> None:
    async with agent() as it:
        gone = it.log.partition_of(TRANSACTIONS, "a")
        mine = next(i for i in "bcdefgh" if it.log.partition_of(TRANSACTIONS, i) != gone)
        await it.left(submitted("a", mode="score"), submitted(mine, mode="score"))
        await it.handler.assign(ALL)
        await it.handler.revoke({gone})
        async with watching(it):
            assert await asyncio.wait_for(it.asked.get(), 10) == mine
        assert it.asked.empty()


@pytest.mark.parametrize(
    ("outcome", "alerts"), [("approve", 0), ("step_up", 0), ("review", 1), ("decline", 1)]
)
async def test_only_review_and_decline_raise_an_alert(outcome: str, alerts: int) -> None:
    async with agent() as it:
        await it.append(submitted("a"), scored("a", outcome=outcome))
        await it.handler.assign(ALL)
        await it.read()
        assert [each.subject for each in it.events(ALERTS, AlertRaised)] == ["a"] * alerts
        assert it.asked.empty()


async def test_a_void_decision_raises_nothing_and_reading_again_raises_the_same_alert() -> None:
    async with agent() as it:
        await it.append(submitted("a"), scored("a", outcome="review"))
        await it.append(scored("a", outcome="decline"))
        await it.handler.assign(ALL)
        await it.read()
        await it.read()
        raised = it.events(ALERTS, AlertRaised)
        assert {(each.id, each.data.outcome) for each in raised} == {(raised[0].id, "review")}


async def test_the_position_moves_on_when_all_of_a_batch_is_decided() -> None:
    async with agent() as it:
        it.trouble = [LogUnavailableError("no broker answers")]
        await it.append(submitted("a", mode="submit"))
        await it.handler.assign(ALL)
        with pytest.raises(LogUnavailableError):
            await it.read()
        assert it.positions.positions() == {}
        await it.read()
        partition = it.log.partition_of(TRANSACTIONS, "a")
        assert it.positions.positions()[partition] >= 1
        assert (await it.handler.assign(ALL))[partition] >= 1


async def test_a_void_decision_for_other_content_leaves_the_id_to_be_decided() -> None:
    async with agent() as it:
        # Its process died before it decided; another one had scored other content meanwhile.
        await it.append(submitted("a", "d"), submitted("a", "e"), scored("a", "e"))
        await it.read()
        async with watching(it):
            assert await asyncio.wait_for(it.asked.get(), 10) == "a"
