"""Contract suite of Generations; one test module per adapter inherits it and gives the store."""

from collections.abc import Callable

import pytest

from domain.errors import ConflictError, NotFoundError
from domain.features import CATALOGUE, FeatureSet
from projections.online.generations import Generations

FEWER = FeatureSet(CATALOGUE.features[:40])


class GenerationsContract:
    """Of one store, in which nothing was ever live at the start of each test."""

    @pytest.fixture
    def connect(self) -> Callable[[], Generations]:
        raise NotImplementedError("give generations of one store")

    @pytest.fixture
    def generations(self, connect: Callable[[], Generations]) -> Generations:
        return connect()

    def test_what_is_adopted_first_is_live_for_every_process(
        self, generations: Generations, connect: Callable[[], Generations]
    ) -> None:
        assert (generations.number(), generations.before(), generations.all()) == (0, 0, [])
        with pytest.raises(NotFoundError):
            generations.live()
        first = generations.adopt(FEWER)
        assert (first.hash, first.live) == (FEWER.hash, True)
        assert connect().adopt(CATALOGUE).number == connect().live().number == first.number
        assert [each.number for each in generations.all()] == [first.number]

    def test_one_is_begun_beside_the_live_one_swapped_in_and_back(
        self, generations: Generations
    ) -> None:
        first, made = generations.adopt(CATALOGUE).number, generations.begin(FEWER, "fewer")
        assert (made.hash, made.reason, made.live) == (FEWER.hash, "fewer", False)
        assert generations.number() == first
        for before, after in ((first, made.number), (made.number, first)):
            generations.swap(before, after)
            with pytest.raises(ConflictError):
                generations.swap(before, after)
            assert (generations.number(), generations.before()) == (after, before)
            assert [each.number for each in generations.all() if each.live] == [after]

    def test_only_what_is_not_live_nor_the_one_to_go_back_to_is_removed_unless_by_force(
        self, generations: Generations
    ) -> None:
        first, second = generations.adopt(CATALOGUE).number, generations.begin(FEWER, "b").number
        generations.swap(first, second)
        for number, force in ((second, False), (second, True), (first, False)):
            with pytest.raises(ConflictError):
                generations.drop(number, force=force)
        generations.swap(second, first)
        for _ in range(2):
            assert generations.drop(second) == 0
        with pytest.raises(NotFoundError):
            generations.swap(first, second)
        third = generations.begin(FEWER, "again").number
        assert third > second
        generations.swap(first, third)
        generations.drop(first, force=True)
        assert [each.number for each in generations.all()] == [third]
