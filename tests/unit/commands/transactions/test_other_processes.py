"""A decision sees what any process has answered, and waits for nothing else."""

import asyncio
from collections.abc import Sequence

from commands.ports import ServedFeatures
from domain.errors import LogUnavailableError
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import Topic
from projections.online.reader import OnlineFeatureReader
from tests.fakes.deciding import CARD_COUNT, deciding_process, feature, score
from tests.fakes.states import InMemoryServing, InMemoryStates

Reader = OnlineFeatureReader[ServedFeatures]


class Leaderless(InMemoryEventLog):
    """Nobody can tell where it ends."""

    async def ends(self, topic: Topic) -> Sequence[int]:
        raise LogUnavailableError(f"a partition of {topic.name} has no leader")


def readers(*names: str) -> list[Reader]:
    """Of processes that share a store, in which no state lies yet."""
    states, board = InMemoryStates(), dict[str, dict[int, int]]()
    return [
        OnlineFeatureReader(InMemoryServing(states, name, board), ServedFeatures) for name in names
    ]


async def test_what_another_process_has_answered_is_seen_at_once() -> None:
    log, (one, other) = InMemoryEventLog(), readers("api-1", "api-2")
    with deciding_process(log, features=one) as first, deciding_process(log, features=other) as two:
        for number in range(10):
            context = (first, two)[number % 2]
            scored = await score(context, transaction_id=f"t-{number}", card_id="c-1")
            assert scored.data.path == "full"
            assert feature(scored, CARD_COUNT) == number


async def test_a_decision_that_was_made_before_is_told_again_when_it_is_answered() -> None:
    """Its process may have ended between the append and telling of it."""
    log, (one, other) = InMemoryEventLog(), readers("api-1", "api-2")
    with deciding_process(log, features=one) as first:
        decided = await score(first, card_id="c-1")
        with deciding_process(log, features=other) as two:
            await two.ledger.barrier()
            assert (await score(two, card_id="c-1")).id == decided.id
            known = two.ledger.known("12345")
            assert known is not None
            assert other._answered == {known.partition: known.scored_offset}


async def test_a_partition_without_a_leader_is_not_waited_for() -> None:
    (reader,) = readers("api-1")
    with deciding_process(Leaderless(), features=reader) as context:
        scored = await asyncio.wait_for(score(context, card_id="c-1"), 10)
    assert scored.data.path == "full"
