"""Caches in SQLite: damage is forgotten, and what is only refused for now is not."""

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from domain.errors import UnavailableError
from eventlog.cache_files import is_damaged, open_cache

SCHEMA = "CREATE TABLE IF NOT EXISTS kept (name TEXT)"


def kept(path: Path) -> list[tuple[str]]:
    db = open_cache(path, SCHEMA, 100)
    try:
        return db.execute("SELECT name FROM kept").fetchall()
    finally:
        db.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "kept.sqlite"
    db = open_cache(path, SCHEMA, 100)
    db.execute("INSERT INTO kept VALUES ('a')")
    db.commit()
    db.close()
    return path


def test_what_was_committed_is_there_again(path: Path) -> None:
    assert kept(path) == [("a",)]


def test_a_damaged_file_is_begun_anew(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError) as refused:
        sqlite3.connect(path).execute("SELECT 1 FROM sqlite_master")
    assert is_damaged(refused.value)
    assert kept(path) == []


def test_a_file_that_another_process_holds_is_named_and_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0.0))
    with pytest.raises(UnavailableError, match=r"disk: .*kept\.sqlite cannot be opened: .*locked"):
        kept(path)
    other.execute("ROLLBACK")
    other.close()
    assert kept(path) == [("a",)]


def test_after_a_loss_of_power_commits_are_whole(path: Path) -> None:
    """SQLite promises it of these two settings; other ones may keep any part."""
    db = open_cache(path, SCHEMA, 100)
    settings = [
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    ]
    db.close()
    assert settings == ["wal", 1]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(UnavailableError, match="folder"):
        open_cache(tmp_path / "folder" / "kept.sqlite", SCHEMA, 100)
