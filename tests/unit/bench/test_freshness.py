"""Freshness: a sample is fresh once its payer's state holds the record, and not before."""

import asyncio
from collections.abc import Sequence

import pytest

from bench.live import freshness
from bench.live.freshness import Samples, Waiting, sampling, still_waiting
from commands import Context
from domain.features import CATALOGUE, Entity, EntityState
from eventlog.in_memory import InMemoryEventLog
from host.processes import wait_until
from projections.online.port import Markers, Read
from tests.fakes.deciding import deciding_process, score

PAYER = (Entity.PAYER, "c1")


class Versions:
    """Implements projections.online.port.StateReader: states of these versions, nothing else."""

    def __init__(self, version: dict[int, int]) -> None:
        self.version = version
        self.asked: list[tuple[Entity, str]] = []

    def read(self, keys: Sequence[tuple[Entity, str]]) -> Read:
        self.asked += keys
        states = [EntityState(*key) for key in keys]
        for state in states:
            state.version.update(self.version)
        return Read(CATALOGUE, Markers({}, frozenset()), states)

    def markers(self) -> Markers:
        return Markers({}, frozenset())


def test_what_the_state_holds_is_timed_and_the_rest_waits_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(freshness, "now_us", lambda: 5_000_000)
    held, ahead, elsewhere = (
        Waiting(PAYER, partition, offset, 4_900_000)
        for partition, offset in ((0, 7), (0, 8), (1, 0))
    )
    samples = Samples()
    left = still_waiting(Versions({0: 7}), [held, ahead, elsewhere], samples)
    assert left == [ahead, elsewhere]
    assert samples.seen == [(4_900_000, 100.0)]
    assert (samples.since(4_900_000), samples.since(4_900_001)) == ([100.0], [])


def test_every_second_decision_is_watched_and_those_never_seen_are_told() -> None:
    log, states = InMemoryEventLog(), Versions({})
    with deciding_process(log) as context:
        asyncio.run(_scored(context, "before"))
        with sampling(log, states, 2) as samples:
            names = [f"t{number}" for number in range(5)]
            asyncio.run(_scored(context, *names))
            assert wait_until(lambda: len(set(states.asked)) == 2, 10)
    # Which two depends on how many partitions had records when they were read.
    watched = set(states.asked)
    assert len(watched) == 2
    assert watched < {(Entity.PAYER, f"of-{name}") for name in names}
    assert (samples.seen, samples.unseen) == ([], 2)


async def _scored(context: Context, *names: str) -> None:
    for name in names:
        await score(context, transaction_id=name, customer_id=f"of-{name}")
