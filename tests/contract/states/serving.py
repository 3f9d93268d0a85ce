"""Contract suite of ServingStates; one test module per adapter inherits it and gives the stores."""

from collections.abc import Callable

import pytest

from domain.features import CATALOGUE, Entity, feature_event
from domain.features.rows import row_of
from domain.features.state import Row
from domain.times import SECOND
from eventlog.topics import ENTITIES
from projections.online.port import Marker, Move, Recents, ServingStates, StateStore
from tests.builders.workers.history import save, state_of
from tests.contract.states.contract import CARD, NEVER, adopted
from tests.fakes.events import imported

OTHER = Entity.MERCHANT, "m1"


class ServingStatesContract:
    """Stores of one keyspace, which is empty at the start of each test."""

    @pytest.fixture
    def open_store(self) -> Callable[[], StateStore]:
        raise NotImplementedError("give what writes to the keyspace")

    @pytest.fixture
    def open_serving(self) -> Callable[[], ServingStates]:
        raise NotImplementedError("give what reads it, for a process each")

    async def test_a_read_gives_what_was_saved_and_the_markers(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates]
    ) -> None:
        states, serving = adopted(open_store), open_serving()
        stored = state_of(range(3), key="c2")
        save(states, stored)
        states.save([], [Move(0, None, Marker(3, {0: 2}))])
        keys = [(Entity.CARD, "c3"), (Entity.CARD, "c2"), (Entity.MERCHANT, "c2")]
        for _ in range(2):
            read = await serving.read(keys)
            assert [(each.entity, each.key) for each in read.states] == keys
            assert [each.version for each in read.states] == [{}, {0: 2}, {}]
            assert read.states[1].to_bytes() == stored.to_bytes()
            assert read.features.hash == CATALOGUE.hash
            assert read.markers.at == {0: Marker(3, {0: 2})}
        states.save([], [Move(0, Marker(3, {0: 2}), Marker(4, {0: 5}))])
        assert (await serving.read(keys)).markers.at == {0: Marker(4, {0: 5})}

    @pytest.fixture
    def lose(self) -> Callable[[tuple[Entity, str]], None]:
        raise NotImplementedError("give what removes a state, and nothing else")

    async def test_a_state_that_is_gone_is_told_from_one_that_never_was(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates],
        lose: Callable[[tuple[Entity, str]], None],
    ) -> None:  # fmt: skip
        states, serving = adopted(open_store), open_serving()
        asked = [(Entity.MERCHANT, "m1"), CARD, NEVER, (Entity.CARD, "c2")]
        save(states, state_of(range(3)), state_of(range(2), key="c2"))
        assert (await serving.read(asked)).lost == frozenset()
        lose(CARD)
        for number in range(5):
            read = await serving.read(asked)
            assert read.lost == {CARD}
            assert [each.version for each in read.states] == [{}, {}, {}, {0: 1}]
            # What is beside a state that is gone does not stand for it.
            await serving.push([CARD, NEVER], pushed(0, 10 + number), room=True)
        every = dict.fromkeys(range(ENTITIES.partitions), 0)
        assert states.sweep(every)[1] == [CARD]

    async def test_who_vouches_no_longer_is_silent_until_it_leaves(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates]
    ) -> None:
        adopted(open_store)
        first, second = open_serving(), open_serving()
        assert not (await second.read([CARD])).silent
        now = await first.now()
        await first.vouch(now + 3600 * SECOND)
        assert not (await second.read([CARD])).silent
        await first.vouch(now - 1)
        await second.vouch(now + 3600 * SECOND)
        assert (await second.read([CARD])).silent
        await first.leave()
        assert not (await second.read([CARD])).silent

    async def test_what_one_process_pushes_every_process_reads_in_order(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates]
    ) -> None:
        adopted(open_store)
        first, second = open_serving(), open_serving()
        assert (await first.read([CARD])).recents == [Recents()]
        for serving, row in ((first, pushed(1, 9)), (second, pushed(0, 12)), (first, pushed(0, 3))):
            await serving.push([CARD, OTHER], row, room=True)
        await second.push([CARD], pushed(0, 3), room=True)
        expected = [pushed(0, 3), pushed(0, 12), pushed(1, 9)]
        for serving in (first, second):
            read = await serving.read([OTHER, NEVER, CARD])
            assert [list(each.rows) for each in read.recents] == [expected, [], expected]
            assert not any(each.cut for each in read.recents)
            assert [each.version for each in read.states] == [{}, {}, {}]

    async def test_what_a_state_holds_is_not_beside_it(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates]
    ) -> None:
        states, serving = adopted(open_store), open_serving()
        rows = [pushed(0, 2), pushed(0, 3), pushed(1, 1)]
        for row in rows:
            await serving.push([CARD], row, room=True)
        save(states, state_of(range(3)))
        read = await serving.read([CARD])
        assert (read.states[0].version, list(read.recents[0].rows)) == ({0: 2}, rows[1:])
        save(states, state_of(range(4)))
        assert list((await serving.read([CARD])).recents[0].rows) == rows[2:]

    async def test_what_finds_no_room_is_said_until_the_state_holds_it(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates]
    ) -> None:
        states, serving = adopted(open_store), open_serving()
        for offset in (2, 5, 4):
            await serving.push([CARD], pushed(0, offset), room=False)
        (recent,) = (await serving.read([CARD])).recents
        assert (list(recent.rows), recent.cut) == ([], {0: 5})
        save(states, state_of(range(5)))
        assert (await serving.read([CARD])).recents[0].cut == {0: 5}
        save(states, state_of(range(6)))
        assert (await serving.read([CARD])).recents == [Recents()]

    async def test_beside_a_state_lie_so_many_events_at_most(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates]
    ) -> None:
        adopted(open_store)
        serving = open_serving()
        for offset in range(300):
            await serving.push([CARD], pushed(0, offset), room=True)
        (recent,) = (await serving.read([CARD])).recents
        assert 200 < len(recent.rows) < 300
        assert recent.cut == {0: 299}

    async def test_a_connection_is_another_once_the_server_was_met_anew(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[], ServingStates]
    ) -> None:
        adopted(open_store)
        serving = open_serving()
        assert serving.connection == 0
        await serving.read([CARD])
        met = serving.connection
        assert met > 0
        await serving.read([CARD])
        assert serving.connection == met


def pushed(partition: int, offset: int) -> Row:
    event = feature_event(imported(f"p-{partition}-{offset}"))
    assert event is not None
    return row_of(partition, offset, event)
