"""The memory of ids in SQLite: a cache that survives its process, and may be lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import SettingsError
from eventlog.admission import sqlite_memory as module
from eventlog.admission.first_wins import Known
from eventlog.admission.sqlite_memory import SqliteMemory

ENTRY = Known("d", "submit", 2, 17, 1_700_000_000_000_000)


def test_what_was_committed_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "ids.sqlite")
    memory.put("t-1", ENTRY)
    assert memory.admits_label("label/1", 2, 18, 17)
    memory.commit({2: 19})
    memory.close()
    again = SqliteMemory(tmp_path / "ids.sqlite")
    assert again.known("t-1") == ENTRY
    assert again.known("t-2") is None
    assert again.label("label/1") == (2, 18)
    assert again.positions() == {2: 19}
    again.close()


def test_what_was_not_committed_is_lost_together_with_its_position(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "ids.sqlite")
    memory.commit({0: 1})
    memory.put("t-1", ENTRY)
    memory.close()
    again = SqliteMemory(tmp_path / "ids.sqlite")
    assert again.known("t-1") is None
    assert again.positions() == {0: 1}
    again.close()


@pytest.mark.parametrize("torn", [b"no database at all" * 100, b"SQLite format 3\0" + b"\7" * 5000])
def test_a_torn_file_is_replaced_by_an_empty_one(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "ids.sqlite").write_bytes(torn)
    memory = SqliteMemory(tmp_path / "ids.sqlite")
    assert memory.positions() == {}
    memory.put("t-1", ENTRY)
    memory.commit({0: 1})
    assert memory.known("t-1") == ENTRY
    memory.close()


def test_a_file_belongs_to_one_process(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "ids.sqlite")
    code = (
        "from pathlib import Path\nfrom eventlog.admission.sqlite_memory import SqliteMemory\n"
        f"SqliteMemory(Path({str(tmp_path / 'ids.sqlite')!r}))"
    )
    root = Path(__file__).parents[4]
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert other.returncode != 0
    assert "RETRACE_INSTANCE" in other.stderr
    with pytest.raises(SettingsError, match="in use by another process"):
        SqliteMemory(tmp_path / "ids.sqlite")
    memory.close()
    SqliteMemory(tmp_path / "ids.sqlite").close()


def test_more_ids_than_one_statement_takes_are_found() -> None:
    memory = SqliteMemory(None)
    entries = {f"t-{n}": ENTRY for n in range(1_700)}
    for key, entry in entries.items():
        memory.put(key, entry)
    memory.commit({0: 1})
    memory.prefetch(entries, ())
    assert {key: memory.known(key) for key in entries} == entries
    memory.close()


def test_lookups_of_unknown_ids_do_not_fill_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_CACHED", 10)
    memory = SqliteMemory(None)
    memory.put("kept", Known("d", "score", 0, 1, 2))
    for number in range(100):
        assert memory.known(str(number)) is None
    assert len(memory._ids) <= 12
    assert memory.known("kept") == Known("d", "score", 0, 1, 2)
    memory.close()
