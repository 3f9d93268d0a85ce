"""A state that is gone under its marker: its writer finds it, and makes the shard anew."""

import asyncio

import pytest

from domain.errors import FencedError
from domain.features import Entity
from projections.online.port import Marker
from tests.builders.workers.entities import CARDS, SHARD, Owner, RoutedLog
from tests.fakes.states import InMemoryStates


async def lost_state() -> tuple[RoutedLog, Owner, InMemoryStates]:
    """One state is gone under its marker, and its writer holds none in memory."""
    log, states = RoutedLog(CARDS), InMemoryStates()
    before, owner = Owner(log, states), Owner(log, states)
    await before.assign()
    await before.finish()
    del states.stored[Entity.CARD, CARDS[1]]
    await owner.assign()
    return log, owner, states


async def test_nothing_is_folded_onto_a_lost_state_and_its_shard_begins_anew() -> None:
    log, owner, states = await lost_state()
    log.add(CARDS[1])
    with pytest.raises(FencedError, match="gone"):
        await owner.handle()
    assert (Entity.CARD, CARDS[1]) not in states.stored
    log.end = len(log.records)
    await owner.assign()
    assert states.marks[SHARD] == Marker(log.end)
    # What the router then sends anew.
    log.records += log.records
    await owner.finish()
    assert (states.stored, states.marks[SHARD]) == (log.folded(), Marker(10, {0: 4}))


async def test_a_lost_state_is_found_though_nobody_asks_for_it() -> None:
    _, owner, states = await lost_state()
    watching = asyncio.create_task(owner.writer.watch())
    async with asyncio.timeout(10):
        await owner.asked.wait()
    watching.cancel()
    await owner.assign()
    assert states.marks[SHARD] == Marker(0)
