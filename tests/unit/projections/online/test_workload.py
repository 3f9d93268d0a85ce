"""Router and writer in one worker: what it has routed itself it folds without a fetch."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from domain.events import Envelope
from domain.features import Entity
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position
from eventlog.routing import Gathered, encode_routed, shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.faust.admission import RecordAdmission
from projections.faust.worker import Worker
from projections.online.workload import online_workload
from tests.builders.workers.pieces import batch, batches_of
from tests.fakes.events import imported, transaction
from tests.fakes.membership import InMemoryMembership
from tests.fakes.states import InMemoryStates


async def dead_letter(*_: object) -> None:
    raise AssertionError("nothing here is dead")


CARD = "c-1"


def paid(transaction_id: str) -> Envelope:
    envelope = imported(transaction_id)
    by_card = transaction(transaction_id, card_id=CARD)
    return replace(envelope, data=replace(envelope.data, transaction=by_card))


class Features:
    """A worker of features over a log in memory; its group gives it nothing but transactions."""

    def __init__(self) -> None:
        self.log, self.states = InMemoryEventLog(), InMemoryStates()
        shards = {(ENTITIES.name, shard) for shard in range(ENTITIES.partitions)}
        self.group = InMemoryMembership({(TRANSACTIONS.name, 0), *shards})
        workload = online_workload(
            *(self.log, self._send, self.states),
            RecordAdmission(TRANSACTIONS.name, None, dead_letter),
            *(dead_letter, lambda: None, lambda *own: self.worker.take(*own)),
        )
        self.worker: Worker = Worker("features", self.group, workload.handlers)
        self._beside = [self.worker.background(each) for each in workload.beside]
        self._tasks: list[asyncio.Task[None]] = []

    async def _send(self, shard: int, value: bytes) -> Position:
        return await self.log.append_bytes(ENTITIES, None, value, shard)

    async def begin(self) -> None:
        self.group.assign(self.group.ours)
        await asyncio.wait_for(self.worker.ready(), 10)
        self._tasks = [asyncio.ensure_future(each()) for each in self._beside]

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def handled_upto(self, offset: int) -> set[int]:
        """The shards of which so much is handled."""
        positions = self.worker.positions.items()
        return {shard for (topic, shard), at in positions if topic == ENTITIES.name and at > offset}

    def _version(self) -> Mapping[int, int]:
        return self.states.read([(Entity.CARD, CARD)]).states[0].version

    async def holds(self, offset: int) -> None:
        """Returns once the state of the card holds what lies there in source 0."""
        async with asyncio.timeout(10):
            while self._version().get(0, -1) < offset:  # noqa: ASYNC110 (asked)
                await asyncio.sleep(0.005)


async def test_states_are_fresh_before_the_routed_records_are_fetched() -> None:
    features = Features()
    await features.begin()
    await features.group.feed(batch([paid("a"), paid("b")]))
    await features.holds(1)
    await features.group.feed(batch([paid("c")], first=2))
    await features.holds(2)
    before = dict(features.states.stored)
    # Fetched at last, they change nothing.
    await features.group.feed(*batches_of(features.log, ENTITIES))
    await features.end()
    assert features.states.stored == before
    assert len(features.group.sought) == 1


async def test_behind_a_record_of_another_router_ours_waits_for_the_fetch() -> None:
    features = Features()
    await features.begin()
    await features.group.feed(batch([paid("a")]))
    await features.holds(0)
    for shard in range(ENTITIES.partitions):
        watermark = encode_routed(Gathered().record(1, 0, 0))
        await features.log.append_bytes(ENTITIES, None, watermark, shard)
    await features.group.feed(batch([paid("b")], first=1))
    assert shard_of(Entity.CARD, CARD) not in features.handled_upto(1)
    await features.group.feed(*batches_of(features.log, ENTITIES))
    await features.holds(1)
    await features.end()
    assert len(features.group.sought) == 1
