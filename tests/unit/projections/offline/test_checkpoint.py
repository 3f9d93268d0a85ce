"""Checkpoints of the offline vectors, and the file that holds their states."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock, PropertyMock, patch

import pytest

from domain.errors import IntegrityError, UnavailableError
from domain.features import CATALOGUE, Entity, Held
from projections.offline.checkpoint import Checkpoint, encode, made_for, nothing, taken_up
from projections.offline.entity_states import EntityStates
from projections.offline.skew import NOTHING_MISSED, Skew
from projections.offline.state_file import SqliteStates, scratch_states

CARD, MERCHANT = Entity.CARD, Entity.MERCHANT
WRITTEN = {0: 5, 1: 9}
KEPT = Checkpoint(made_for(CATALOGUE), (5, 7), ((), ((8, 2), (12, 1))), (3, 1, 12), 14)
NOTHING = nothing(CATALOGUE, 2)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteStates]:
    with closing(SqliteStates(tmp_path / "states.sqlite")) as file:
        yield file


def commit(file: SqliteStates, mark: bytes) -> None:
    file.write(CARD, {"c1": b"one"})
    file.commit(mark)


def test_a_process_goes_on_from_the_last_commit_and_not_from_what_came_after(
    file: SqliteStates,
) -> None:
    commit(file, encode(KEPT))
    file.write(CARD, {"c1": b"two", "c2": b"new"})
    assert file.read(CARD, ["c1", "c2"]) == {"c1": b"two", "c2": b"new"}
    found = taken_up(file, CATALOGUE, WRITTEN, {0: 5, 1: 7})
    assert found == KEPT
    assert found.begins == {0: 5, 1: 7}
    assert list(found.taken(1)) == [8, 9, 12]
    assert file.read(CARD, ["c1", "c2"]) == {"c1": b"one"}
    assert file.read(MERCHANT, ["c1"]) == {}


@pytest.mark.parametrize(
    ("mark", "written", "checked"),
    [
        pytest.param(encode(KEPT), {0: 4, 1: 9}, {}, id="the rows went back"),
        pytest.param(encode(KEPT), WRITTEN, {0: 5, 1: 6}, id="the memory of ids went back"),
        pytest.param(b"of another format", WRITTEN, {}, id="another format"),
        pytest.param(
            encode(Checkpoint(("other",), KEPT.next, KEPT.ahead)), WRITTEN, {}, id="other features"
        ),
        pytest.param(encode(nothing(CATALOGUE, 3)), WRITTEN, {}, id="other partitions"),
    ],
)
def test_what_cannot_be_gone_on_from_is_dropped(
    file: SqliteStates, mark: bytes, written: Mapping[int, int], checked: Mapping[int, int]
) -> None:
    commit(file, mark)
    assert taken_up(file, CATALOGUE, written, checked) == NOTHING
    assert file.read(CARD, ["c1"]) == {}
    assert file.roll_back() is None


def test_memory_is_bounded_and_forgets_nothing(file: SqliteStates) -> None:
    states = EntityStates([CARD, MERCHANT], file)
    every = {f"c{number}": b"%04d" % number for number in range(1_000)}
    with patch("projections.offline.entity_states._MOST_BYTES", 1_000):
        for key, state in every.items():
            states.put(CARD, {key: state})
            states.put(MERCHANT, {key: state[::-1]})
            if states.full:
                states.trim()
                assert not states.full
        assert states.at(CARD, [*every, "none"]) == [*every.values(), None]
    states.keep(b"mark")
    again = EntityStates([CARD, MERCHANT], file)
    assert again.at(MERCHANT, every) == [state[::-1] for state in every.values()]


def test_a_disk_that_takes_nothing_is_told_and_nothing_is_lost(file: SqliteStates) -> None:
    states = EntityStates([CARD], file)
    states.put(CARD, {"c1": bytes(100_000), "c2": b"two"})
    file._db.execute("PRAGMA max_page_count = 8")
    with pytest.raises(UnavailableError, match=r"states\.sqlite takes nothing: .*full"):
        states.keep(b"mark")
    assert states.at(CARD, ["c1", "c2"]) == [bytes(100_000), b"two"]
    file._db.execute("PRAGMA max_page_count = 8000")
    states.keep(b"mark")
    assert file.roll_back() == b"mark"
    assert file.read(CARD, ["c1", "c2"]) == {"c1": bytes(100_000), "c2": b"two"}


def test_what_a_full_disk_takes_back_is_not_passed_over(file: SqliteStates) -> None:
    db = Mock(executemany=Mock(side_effect=sqlite3.OperationalError("full")))
    type(db).in_transaction = PropertyMock(side_effect=[True, False])
    with (
        patch.object(file, "_db", db),
        pytest.raises(IntegrityError, match=r"states\.sqlite lost what was written: full"),
    ):
        file.write(CARD, {"c2": b"two"})


def test_a_damaged_file_ends_the_process_and_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "states.sqlite"
    keys = [f"c{number}" for number in range(100)]
    with closing(SqliteStates(path)) as file:
        file.write(CARD, {key: bytes(3_000) for key in keys})
        file.commit(b"mark")
    data = bytearray(path.read_bytes())
    data[12_288:] = b"\xff" * (len(data) - 12_288)
    path.write_bytes(data)
    with (
        closing(SqliteStates(path)) as file,
        pytest.raises(IntegrityError, match=r"states\.sqlite cannot be read: .*malformed"),
    ):
        file.read(CARD, keys)
    with closing(SqliteStates(path)) as file:
        assert file.roll_back() is None


def test_scratch_begins_empty_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scratch.states"
    with closing(SqliteStates(path)) as before:
        commit(before, b"mark")
    with scratch_states(path) as file:
        assert file is not None
        assert file.read(CARD, ["c1"]) == {}
        file.write(CARD, {"c1": b"one"})
    assert list(tmp_path.iterdir()) == []


def test_skew_tells_the_same_lag_after_a_restart() -> None:
    before, held = Skew(CATALOGUE), Held({})
    before.folded((CARD, "c1"), 1, 7, 1_000)
    after = Skew(CATALOGUE, before.seen())
    lag = after._lag(2_000, (CARD, "c1"), held)
    assert lag == before._lag(2_000, (CARD, "c1"), held) != NOTHING_MISSED
