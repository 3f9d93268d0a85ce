"""Contract of projections.offline.entity_states.StateFile."""

from collections.abc import Callable

import pytest

from domain.features import Entity
from projections.offline.entity_states import StateFile

CARD, MERCHANT = Entity.CARD, Entity.MERCHANT


class StateFileContract:
    @pytest.fixture
    def open_file(self) -> Callable[[], StateFile]:
        """Opens the same file again, as a process that begins after another died."""
        raise NotImplementedError

    def test_an_empty_file_has_no_mark_and_no_states(
        self, open_file: Callable[[], StateFile]
    ) -> None:
        file = open_file()
        assert file.roll_back() is None
        assert file.read(CARD, ["c1"]) == {}

    def test_states_are_of_an_entity_and_the_last_one_counts(
        self, open_file: Callable[[], StateFile]
    ) -> None:
        file = open_file()
        file.write(CARD, {"k1": b"one", "k2": b"two"})
        file.write(CARD, {"k1": b"three"})
        file.write(MERCHANT, {"k1": b"four"})
        keys = [f"other{number}" for number in range(1_200)]
        assert file.read(CARD, ["k1", *keys, "k2"]) == {"k1": b"three", "k2": b"two"}
        assert file.read(MERCHANT, ["k1", "k2"]) == {"k1": b"four"}

    def test_what_was_not_committed_goes_with_the_process(
        self, open_file: Callable[[], StateFile]
    ) -> None:
        file = open_file()
        file.write(CARD, {"k1": b"one"})
        file.commit(b"first")
        file.write(CARD, {"k1": b"two", "k2": b"new"})
        again = open_file()
        assert again.roll_back() == b"first"
        assert again.read(CARD, ["k1", "k2"]) == {"k1": b"one"}

    def test_rolled_back_is_as_of_the_last_commit(self, open_file: Callable[[], StateFile]) -> None:
        file = open_file()
        file.write(CARD, {"k1": b"one"})
        file.commit(b"first")
        file.write(CARD, {"k1": b"two"})
        file.commit(b"second")
        file.write(CARD, {"k1": b"three", "k2": b"new"})
        assert file.roll_back() == b"second"
        assert file.read(CARD, ["k1", "k2"]) == {"k1": b"two"}

    def test_cleared_it_is_empty_for_good(self, open_file: Callable[[], StateFile]) -> None:
        file = open_file()
        file.write(CARD, {"k1": b"one"})
        file.commit(b"first")
        file.write(CARD, {"k2": b"two"})
        file.clear()
        assert file.read(CARD, ["k1", "k2"]) == {}
        again = open_file()
        assert again.roll_back() is None
        assert again.read(CARD, ["k1", "k2"]) == {}
