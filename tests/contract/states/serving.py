"""Contract suite of ServingStates; one test module per adapter inherits it and gives the stores."""

from collections.abc import Callable

import pytest

from domain.features import CATALOGUE, Entity
from projections.online.port import Marker, Move, ServingStates, StateStore
from tests.builders.workers.history import save, state_of
from tests.contract.states.contract import CARD, NEVER, adopted


class ServingStatesContract:
    """Stores of one keyspace, which is empty at the start of each test."""

    @pytest.fixture
    def open_store(self) -> Callable[[], StateStore]:
        raise NotImplementedError("give what writes to the keyspace")

    @pytest.fixture
    def open_serving(self) -> Callable[[str], ServingStates]:
        raise NotImplementedError("give what reads it, for a process of that name")

    async def test_a_read_gives_what_was_saved_and_the_markers(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[str], ServingStates]
    ) -> None:
        states, serving = adopted(open_store), open_serving("api-1")
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
            assert read.markers.at == {0: Marker(3, {0: 2})} == serving.markers().at
        states.save([], [Move(0, Marker(3, {0: 2}), Marker(4, {0: 5}))])
        assert (await serving.read(keys)).markers.at == {0: Marker(4, {0: 5})}

    @pytest.fixture
    def lose(self) -> Callable[[tuple[Entity, str]], None]:
        raise NotImplementedError("give what removes a state, and nothing else")

    async def test_a_state_that_is_gone_is_told_from_one_that_never_was(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[str], ServingStates],
        lose: Callable[[tuple[Entity, str]], None],
    ) -> None:  # fmt: skip
        states, serving = adopted(open_store), open_serving("api-1")
        asked = [(Entity.MERCHANT, "m1"), CARD, NEVER, (Entity.CARD, "c2")]
        save(states, state_of(range(3)), state_of(range(2), key="c2"))
        assert (await serving.read(asked)).lost == frozenset()
        lose(CARD)
        read = await serving.read(asked)
        assert read.lost == {CARD}
        assert [each.version for each in read.states] == [{}, {}, {}, {0: 1}]

    async def test_a_read_tells_how_far_any_process_had_answered(
        self, open_store: Callable[[], StateStore], open_serving: Callable[[str], ServingStates]
    ) -> None:
        adopted(open_store)
        first, second = open_serving("api-1"), open_serving("api-2")
        assert (await first.read([CARD])).answered == {}
        await first.answered({0: 7, 3: 1})
        await second.answered({0: 5, 2: 9})
        for serving in (first, second):
            assert (await serving.read([CARD])).answered == {0: 7, 2: 9, 3: 1}
        await second.answered({0: 8, 2: 9})
        assert (await first.read([])).answered == {0: 8, 2: 9, 3: 1}
