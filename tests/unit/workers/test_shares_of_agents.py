"""Agents of one and of two `decisions` members: each reads its share of the log and no more."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from commands import Context
from commands.agents.alert_delivery import Delivery
from commands.agents.deciding import deciding_agents
from commands.agents.parked_labels import ParkedLabels
from commands.alerts.sending import Sender
from commands.labels.retry import keep_early_label
from domain.events import TransactionLabelled, TransactionScored, TransactionSubmitted
from domain.policy.snapshot import NO_POLICY
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.ledger.ledger import ALL
from eventlog.topics import DEAD_LETTERS, INBOX_TRANSACTIONS, TRANSACTIONS
from projections.broadcast import reader
from projections.broadcast.membership import BroadcastMembership
from projections.faust.worker import Worker
from tests.builders.workers.pieces import batches_of
from tests.fakes.deciding import deciding_process, payload
from tests.fakes.membership import InMemoryMembership

KEY = b"k" * 32
WHOLE = INBOX_TRANSACTIONS, DEAD_LETTERS


@dataclass
class Member:
    context: Context
    group: InMemoryMembership
    worker: Worker
    own: set[int]
    fed: Counter[int]

    async def read(self) -> None:
        """As its group hands it what is new of its partitions."""
        for each in batches_of(self.context.log, TRANSACTIONS):  # type: ignore[arg-type]
            new = each.since(self.fed[each.partition])
            if each.partition in self.own and new.records:
                self.fed[each.partition] = new.next
                await self.group.feed(new)

    async def has(self, own: set[int]) -> None:
        self.own, self.fed = own, Counter()
        self.group.assign({(TRANSACTIONS.name, p) for p in own})
        await asyncio.wait_for(self.worker.ready(), 20)


@asynccontextmanager
async def member(log: InMemoryEventLog, own: set[int]) -> AsyncIterator[Member]:
    with deciding_process(log, partitions=()) as context:
        group = InMemoryMembership({(TRANSACTIONS.name, p) for p in own})
        delivery = Delivery(Sender(httpx.AsyncClient(), {}, context.clock), lambda: NO_POLICY)
        agents = deciding_agents(
            *(context, lambda _: SqliteMemory(None), ParkedLabels(None), KEY, delivery),
            lambda: None,
        )
        membership = BroadcastMembership(group, log, WHOLE)
        worker = Worker("decisions", membership, agents.handlers, first_pause=0.0)
        tasks = [asyncio.ensure_future(worker.run())]
        tasks += [asyncio.ensure_future(worker.background(each)()) for each in agents.beside]
        await asyncio.wait_for(worker.ready(), 20)
        yield Member(context, group, worker, own, Counter())
        worker.stop()
        await tasks.pop(0)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def facts(log: InMemoryEventLog, kind: type) -> Counter[str]:
    events = (decode(each.value) for each in log.read(TRANSACTIONS))
    return Counter(each.subject for each in events if isinstance(each.data, kind))


async def until_all(log: InMemoryEventLog, members: list[Member], kind: type, count: int) -> None:
    async with asyncio.timeout(30):
        while len(facts(log, kind)) < count:
            await asyncio.gather(*(each.read() for each in members))
            await asyncio.sleep(0.01)


async def send(log: InMemoryEventLog, names: list[str]) -> None:
    """By the inbox, over all its partitions."""
    for number, name in enumerate(names):
        value = json.dumps(payload(name)).encode()
        partition = number % INBOX_TRANSACTIONS.partitions
        await log.append_bytes(INBOX_TRANSACTIONS, None, value, partition)


@pytest.fixture(autouse=True)
def _short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_POLL_SECONDS", 0.02)


@pytest.mark.parametrize("count", [1, 2])
async def test_each_reads_its_share_and_inbox_and_labels_of_all_are_done_once(count: int) -> None:
    log = InMemoryEventLog()
    names = [f"t-{n}" for n in range(40)]
    async with AsyncExitStack() as stack:
        shares = [set(ALL[n::count]) for n in range(count)]
        members = [await stack.enter_async_context(member(log, own)) for own in shares]
        keep = keep_early_label(KEY, members[0].context)
        for name in names:
            await keep(json.dumps({"transaction_id": name, "kind": "chargeback"}).encode(), "early")
        await send(log, names)
        await until_all(log, members, TransactionScored, len(names))
        await until_all(log, members, TransactionLabelled, len(names))
        assert facts(log, TransactionScored) == facts(log, TransactionLabelled) == Counter(names)
        ends = await log.ends(TRANSACTIONS)
        for each in members:
            await each.context.ledger.caught_up()
            # All that each has read, of whichever partition.
            read = {p: end for p, end in enumerate(each.context.ledger.ends()) if end}
            assert read == {p: ends[p] for p in each.own if ends[p]}


async def test_what_changes_hands_is_done_once_by_who_has_it_then() -> None:
    log = InMemoryEventLog()
    first, second = [f"a-{n}" for n in range(20)], [f"b-{n}" for n in range(20)]
    async with member(log, set(ALL)) as ours, member(log, set()) as theirs:
        await send(log, first)
        await until_all(log, [ours, theirs], TransactionScored, 20)
        await ours.has({0, 1, 2})
        await theirs.has({3, 4, 5, 6, 7})
        await send(log, second)
        await until_all(log, [ours, theirs], TransactionScored, 40)
        # The inbox was read again for what was gained, and nothing of it appended again.
        assert facts(log, TransactionSubmitted) == Counter(first + second)
        assert facts(log, TransactionScored) == Counter(first + second)
        assert ours.context.ledger.followed() == {0, 1, 2}
