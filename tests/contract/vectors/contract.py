"""Contract suite of VectorStore; one test module per adapter inherits it and gives the store."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from domain.errors import FencedError
from domain.features import CATALOGUE
from eventlog.topics import TRANSACTIONS
from projections.offline.port import Progress, VectorRows, VectorStore, Written
from projections.offline.skew import Tally

KEY = ("payer_count_1d", "1s")


@dataclass(frozen=True, slots=True)
class Database:
    """`vectors` by id as float64 bytes; `progress` of a partition: (next, projected, void, dead);
    `tally` of KEY: (compared, different)."""

    connect: Callable[[], VectorStore]
    vectors: Callable[[], dict[str, bytes]]
    progress: Callable[[int], tuple[int, int, int, int]]
    tally: Callable[[], tuple[int, int]]


def vector(value: float) -> bytes:
    return _values(value).tobytes()


def rows(value: float, *ids: str) -> VectorRows:
    times = [1_700_000_000_000_000 + at for at in range(len(ids))]
    return VectorRows(ids, times, times, np.array([_values(value)] * len(ids)))


def _values(value: float) -> np.ndarray:
    values = np.full(len(CATALOGUE), value)
    values[1::2] = np.nan
    return values


class VectorStoreContract:
    """Of a database that holds no vectors and no positions at the start of each test."""

    @pytest.fixture
    def kept(self) -> Database:
        raise NotImplementedError("give a database")

    @pytest.fixture
    def owner(self, kept: Database) -> VectorStore:
        store = kept.connect()
        assert store.take_over() == dict.fromkeys(range(TRANSACTIONS.partitions), 0)
        return store

    def test_rows_positions_and_tallies_are_written_together(
        self, owner: VectorStore, kept: Database
    ) -> None:
        progress = {2: Progress(5, projected=3, void=1, dead=1)}
        owner.write(Written([rows(1.5, "a"), rows(0.1, "b")], progress, {KEY: Tally(3, 1)}))
        owner.write(Written([], {2: Progress(6, projected=1)}, {KEY: Tally(1, 1)}))
        assert kept.vectors() == {"a": vector(1.5), "b": vector(0.1)}
        assert kept.progress(2) == (6, 4, 1, 1)
        assert kept.tally() == (4, 2)
        taken = kept.connect().take_over()
        assert (taken[2], taken[0]) == (6, 0)

    def test_the_last_row_of_an_id_counts(self, owner: VectorStore, kept: Database) -> None:
        owner.write(Written([rows(1.0, "a", "b"), rows(2.0, "b")], {}))
        owner.write(Written([rows(3.0, "a")], {}))
        assert kept.vectors() == {"a": vector(3.0), "b": vector(2.0)}

    def test_what_was_stored_already_is_not_counted_again(
        self, owner: VectorStore, kept: Database
    ) -> None:
        written = Written([rows(1.0, "a")], {0: Progress(2, projected=2)}, {KEY: Tally(2, 1)})
        owner.write(written)
        owner.write(written)
        assert kept.progress(0) == (2, 2, 0, 0)
        assert kept.tally() == (2, 1)

    def test_a_former_owner_writes_neither_positions_nor_rows(
        self, owner: VectorStore, kept: Database
    ) -> None:
        owner.write(Written([rows(1.0, "a")], {0: Progress(1, projected=1)}))
        kept.connect().take_over()
        for written in (Written([rows(2.0, "a")], {0: Progress(2)}), Written([rows(2.0, "a")], {})):
            with pytest.raises(FencedError):
                owner.write(written)
        assert kept.vectors() == {"a": vector(1.0)}
        assert kept.progress(0) == (1, 1, 0, 0)

    def test_who_has_not_taken_over_writes_nothing(self, kept: Database) -> None:
        with pytest.raises(FencedError):
            kept.connect().write(Written([rows(1.0, "a")], {}))
        assert kept.vectors() == {}
