"""What a process answers is told to the others, or they know that they may miss something."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from domain.errors import UnavailableError
from domain.features import CATALOGUE, Entity
from domain.features.state import Row
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online import telling
from projections.online.port import Marker, Read
from projections.online.reader import OnlineFeatureReader
from projections.online.telling import Teller
from tests.builders.workers.history import transaction
from tests.fakes.events import decision_on
from tests.fakes.states import Beside, InMemoryServing, InMemoryStates, Key, nothing_yet

COUNT = CATALOGUE.names.index("payer_count_90d")
ASKED = transaction(1)
WORD = 1_000_000


class Away(InMemoryServing):
    """A server that this process alone cannot reach while it is `away`.

    `meanwhile` happens once its time was read, `before_push` before a push gets there.
    """

    away = False
    meanwhile: Callable[[], Awaitable[None]] | None = None
    before_push: Callable[[], Awaitable[Any]] | None = None

    def _reach(self) -> None:
        if self.away:
            raise UnavailableError("redis", "does not answer")

    async def read(self, keys: Sequence[Key]) -> Read:
        self._reach()
        return await super().read(keys)

    async def push(self, keys: Sequence[Key], row: Row, room: bool) -> None:
        if self.before_push:
            await self.before_push()
        self._reach()
        await super().push(keys, row, room)

    async def now(self) -> int:
        self._reach()
        now = await super().now()
        if self.meanwhile:
            await self.meanwhile()
        return now

    async def leave(self) -> None:
        self._reach()
        await super().leave()


@pytest.fixture
def states() -> InMemoryStates:
    return InMemoryStates()


@pytest.fixture
def serving(states: InMemoryStates) -> Away:
    return Away(states, Beside())


def covering(states: InMemoryStates, upto: int) -> None:
    states.marks.update({shard: Marker(1, {3: upto}) for shard in range(ENTITIES.partitions)})


async def one_word(teller: Teller) -> None:
    running = asyncio.ensure_future(teller.keep_vouching())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})


async def test_what_could_not_be_told_is_told_with_the_next(serving: Away) -> None:
    def opened() -> OnlineFeatureReader[Any]:
        return OnlineFeatureReader(serving, nothing_yet, lambda *answer: answer)

    reader, other = opened(), opened()
    serving.away = True
    await reader.answered(3, 7, decision_on(ASKED, 1))
    assert (await reader.read(ASKED))[-1][-1] == "features_unavailable"
    serving.away = False
    assert (await other.read(ASKED))[1][COUNT] == 0.0
    reader._broken_until = 0.0
    assert (await reader.read(ASKED))[1][COUNT] == 1.0
    assert (await other.read(ASKED))[1][COUNT] == 1.0


async def test_what_cannot_be_told_is_answered_once_the_word_has_lapsed(
    serving: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_WORD_SECONDS", 0.2)
    monkeypatch.setattr(telling, "_CLOCK_SECONDS", 0.1)
    teller, loop = Teller(serving, nothing_yet), asyncio.get_running_loop()
    serving.clock = 1_000_000
    await teller._vouch()
    assert serving.words == {"api": 1_200_000}
    serving.away, vouched = True, loop.time()
    await teller.answered(3, 7, decision_on(ASKED, 1), now=True)
    assert loop.time() - vouched >= 0.29
    # The next one finds that nobody takes our word any more.
    await asyncio.wait_for(teller.answered(3, 8, decision_on(ASKED, 2), now=True), 0.1)


async def test_what_is_told_meanwhile_is_answered_at_once(serving: Away) -> None:
    teller = Teller(serving, nothing_yet)
    await teller._vouch()
    serving.away = True
    answering = asyncio.ensure_future(teller.answered(3, 7, decision_on(ASKED, 1), now=True))
    await asyncio.sleep(0)
    assert not answering.done()
    serving.away = False
    await teller.tell()
    await asyncio.wait_for(answering, 0.5)


async def test_nobody_vouches_for_what_the_process_before_it_may_have_answered(
    states: InMemoryStates, serving: Away
) -> None:
    async def ends() -> Sequence[int]:
        return [0, 0, 0, 8, *[0] * (TRANSACTIONS.partitions - 4)]

    teller = Teller(serving, ends)
    for upto in (5, 6):
        covering(states, upto)
        await teller._vouch()
        assert serving.words == {"api": 0}
    covering(states, 7)
    await teller._vouch()
    assert serving.words == {"api": WORD}


async def test_nobody_vouches_for_what_failed_while_the_time_was_asked(serving: Away) -> None:
    teller = Teller(serving, nothing_yet)

    async def answer() -> None:
        serving.away = True
        await teller.answered(3, 7, decision_on(ASKED, 1), now=True)
        serving.away, serving.meanwhile = False, None

    serving.meanwhile = answer
    await teller._vouch()
    assert serving.words == {"api": 0}
    await teller._vouch()
    assert serving.words == {"api": WORD}


async def test_nobody_vouches_for_what_another_task_has_in_hand(serving: Away) -> None:
    teller, asked = Teller(serving, nothing_yet), asyncio.Event()
    serving.away = True
    await teller.answered(3, 7, decision_on(ASKED, 1), now=True)
    serving.away, serving.before_push = False, asked.wait
    telling_it = asyncio.ensure_future(teller.tell())
    await asyncio.sleep(0)
    await teller._vouch()
    assert serving.words == {"api": 0}
    asked.set()
    await telling_it
    await teller._vouch()
    assert serving.words == {"api": WORD}


async def test_a_word_given_meanwhile_lapses_before_what_is_untold_is_answered(
    serving: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_CLOCK_SECONDS", 0.0)
    monkeypatch.setattr(telling, "_WORD_SECONDS", 0.05)
    teller, loop = Teller(serving, nothing_yet), asyncio.get_running_loop()
    await teller._vouch()
    answering = asyncio.ensure_future(teller.answered(3, 7, decision_on(ASKED, 1), now=False))
    await asyncio.sleep(0)
    asked = asyncio.Event()
    serving.before_push = asked.wait
    in_hand = asyncio.ensure_future(teller.tell())
    await asyncio.sleep(0)
    monkeypatch.setattr(telling, "_WORD_SECONDS", 0.4)
    await teller._vouch()
    assert serving.words == {"api": 400_000}
    vouched, serving.away = loop.time(), True
    asked.set()
    with pytest.raises(UnavailableError):
        await in_hand
    await answering
    assert loop.time() - vouched >= 0.39


async def test_nobody_vouches_while_something_is_untold(
    states: InMemoryStates, serving: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_MOST_UNTOLD", 1)
    teller = Teller(serving, nothing_yet)
    serving.away = True
    for offset in (7, 8):
        await teller.answered(3, offset, decision_on(ASKED, offset), now=True)
    serving.away = False
    covering(states, 7)
    # The first is told by now, and the second was one too many to be kept.
    await teller._vouch()
    assert serving.words == {"api": 0}
    serving.clock = 1
    assert (await serving.read([(Entity.PAYER, "x")])).silent
    covering(states, 8)
    await teller._vouch()
    assert not (await serving.read([(Entity.PAYER, "x")])).silent


async def test_what_was_dropped_before_the_first_word_is_missed_beside_the_start(
    states: InMemoryStates, serving: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_MOST_UNTOLD", 0)

    async def ends() -> Sequence[int]:
        return [9, *[0] * (TRANSACTIONS.partitions - 1)]

    teller = Teller(serving, ends)
    await teller.answered(3, 7, decision_on(ASKED, 1), now=True)
    for held, word in (({3: 7}, 0), ({3: 7, 0: 8}, WORD)):
        states.marks.update({shard: Marker(1, held) for shard in range(ENTITIES.partitions)})
        await teller._vouch()
        assert serving.words == {"api": word}


async def test_what_the_states_hold_already_is_not_put_beside_them(
    states: InMemoryStates, serving: Away
) -> None:
    covering(states, 7)
    teller = Teller(serving, nothing_yet)
    teller.markers = states.markers()
    serving.away = True
    await asyncio.wait_for(teller.answered(3, 7, decision_on(ASKED, 1), now=True), 0.1)


async def test_a_process_that_ends_takes_its_word_with_it(serving: Away) -> None:
    teller = Teller(serving, nothing_yet)
    await teller._vouch()
    assert serving.words.keys() == {"api"}
    await one_word(teller)
    assert serving.words == {}
