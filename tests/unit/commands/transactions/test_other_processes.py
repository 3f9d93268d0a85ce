"""A decision sees what any process has answered, and waits for nothing else."""

import asyncio
from collections.abc import Sequence
from functools import partial

from commands.ports import ServedFeatures
from domain.errors import LogUnavailableError
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS, Topic
from projections.online.reader import OnlineFeatureReader
from tests.fakes.deciding import CARD_COUNT, deciding_process, feature, score
from tests.fakes.states import Beside, InMemoryServing, InMemoryStates

Reader = OnlineFeatureReader[ServedFeatures]


class Leaderless(InMemoryEventLog):
    """Nobody can tell where it ends."""

    async def ends(self, topic: Topic) -> Sequence[int]:
        raise LogUnavailableError(f"a partition of {topic.name} has no leader")


def readers(log: InMemoryEventLog, count: int) -> list[Reader]:
    """Of processes that share a store, in which no state lies yet."""
    states, beside = InMemoryStates(), Beside()
    ends = partial(log.ends, TRANSACTIONS)
    return [
        OnlineFeatureReader(InMemoryServing(states, beside), ends, ServedFeatures)
        for _ in range(count)
    ]


async def test_what_another_process_has_answered_is_seen_at_once() -> None:
    log = InMemoryEventLog()
    one, other = readers(log, 2)
    with deciding_process(log, features=one) as first, deciding_process(log, features=other) as two:
        for number in range(10):
            context = (first, two)[number % 2]
            scored = await score(context, transaction_id=f"t-{number}", card_id="c-1")
            assert scored.data.path == "full"
            assert feature(scored, CARD_COUNT) == number


async def test_a_decision_that_was_made_before_is_told_again_when_it_is_answered() -> None:
    """Its process may have ended between the append and telling of it."""
    log = InMemoryEventLog()
    one, other = readers(log, 2)
    with deciding_process(log, features=one) as first:
        decided = await score(first, card_id="c-1")
        with deciding_process(log, features=other) as two:
            await two.ledger.barrier()
            assert (await score(two, card_id="c-1")).id == decided.id
            again = await score(two, transaction_id="t-2", card_id="c-1")
            assert feature(again, CARD_COUNT) == 1


async def test_a_partition_without_a_leader_is_not_waited_for() -> None:
    log = Leaderless()
    (reader,) = readers(log, 1)
    with deciding_process(log, features=reader) as context:
        scored = await asyncio.wait_for(score(context, card_id="c-1"), 10)
    assert scored.data.path == "full"
    # Nobody knows whether a store that was met for the first time has all that was answered.
    assert scored.data.flags[-1] == "stale_features"
