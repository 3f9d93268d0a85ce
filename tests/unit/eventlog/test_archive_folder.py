"""Archive files: each is whole, none is skipped, and errors say what to do."""

import os
from pathlib import Path

import pytest

from domain.errors import IntegrityError, NotFoundError, UnavailableError
from eventlog.archive.folder import ArchiveFolder, Link, chain, positions
from eventlog.archive.layout import Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.topics import TRANSACTIONS
from host.storage_errors import explained
from tests.fakes.events import scored

PIECE = Piece(0, 0, 1)


@pytest.fixture
def folder(tmp_path: Path) -> ArchiveFolder:
    folder = ArchiveFolder(str(tmp_path), TRANSACTIONS)
    folder.add(PIECE, table_of([ArchivedRecord(0, b"t-1", b"{}", "counts", scored())]))
    return folder


def path_of(folder: ArchiveFolder, piece: Piece = PIECE) -> Path:
    return Path(folder.url) / TRANSACTIONS.name / piece.path


def test_a_truncated_file_is_named_with_what_to_do(folder: ArchiveFolder) -> None:
    path = path_of(folder)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(IntegrityError, match=rf"{PIECE.path} cannot be read: .*; restore it"):
        folder.read(PIECE, ["offset"])


def test_a_foreign_file_is_named_not_skipped(folder: ArchiveFolder) -> None:
    path_of(folder).with_name("copy of mine.parquet").touch()
    with pytest.raises(IntegrityError, match=r"copy of mine\.parquet is no file of the archive"):
        folder.pieces()


def test_a_file_without_our_columns_is_named(folder: ArchiveFolder) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1]}), path_of(folder))
    with pytest.raises(IntegrityError, match=PIECE.path):
        folder.read(PIECE, ["offset", "value"])


def test_an_abandoned_draft_is_not_read_and_is_removed_after_an_hour(folder: ArchiveFolder) -> None:
    young, old = (path_of(folder).with_name(f"{name}.part") for name in ("young", "old"))
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    assert folder.pieces() == [PIECE]
    folder.sweep()
    assert (young.exists(), old.exists()) == (True, False)


def test_a_folder_that_cannot_be_written_is_named_and_no_draft_is_left(tmp_path: Path) -> None:
    (tmp_path / TRANSACTIONS.name).write_text("in the way")
    folder = ArchiveFolder(str(tmp_path), TRANSACTIONS)
    with pytest.raises(UnavailableError, match=r"cannot be written: a file stands where a folder"):
        folder.add(PIECE, table_of([]))


def test_full_disks_leave_no_draft(folder: ArchiveFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    second = Piece(0, 2, 3)
    with pytest.raises(UnavailableError, match="the disk is full: free some space"):
        folder.add(second, table_of([]))
    assert [each.name for each in path_of(folder).parent.iterdir()] == [path_of(folder).name]


def test_a_missing_bucket_is_named() -> None:
    error = OSError("When initiating upload: AWS Error NO_SUCH_BUCKET during PutObject")
    assert "the bucket does not exist: create it" in explained(error, "be written", "s3://b/x")


def test_a_gap_is_an_error_that_names_the_file_behind_it() -> None:
    pieces = [Piece(0, 0, 4), Piece(0, 8, 9)]
    with pytest.raises(IntegrityError, match=r"lacks offsets 5 to 7 .*" + pieces[1].path):
        list(chain(pieces, 0, 10))


def test_a_missing_first_file_is_a_gap() -> None:
    assert positions([Piece(0, 5, 9)]) == {0: 0}
    with pytest.raises(IntegrityError, match="lacks offsets 0 to 4"):
        list(chain([Piece(0, 5, 9)], 0, 10))


def _offsets(folder: ArchiveFolder, link: Link) -> list[int]:
    offsets = folder.read(link.piece, ["offset"])["offset"].to_pylist()
    return [offset for offset in offsets if offset >= link.begin]


def test_a_file_that_is_merged_while_it_is_read_through_is_read_from_the_other(
    tmp_path: Path,
) -> None:
    folder = ArchiveFolder(str(tmp_path), TRANSACTIONS)
    records = [ArchivedRecord(at, b"t-1", b"{}", "counts", scored()) for at in range(6)]

    def add(first: int, last: int) -> None:
        folder.add(Piece(0, first, last), table_of(records[first : last + 1]))

    for at in (0, 2, 4):
        add(at, at + 1)
    reading = folder.read_through(0, 6, lambda link: _offsets(folder, link))
    assert next(reading) == [0, 1]
    add(0, 5)
    for at in (0, 2, 4):
        folder.remove(Piece(0, at, at + 1))
    assert list(reading) == [[2, 3, 4, 5]]


def test_a_file_that_is_gone_and_in_no_other_is_named(folder: ArchiveFolder) -> None:
    def gone(link: Link) -> None:
        raise NotFoundError("archive file", link.piece.path)

    with pytest.raises(NotFoundError, match=PIECE.path):
        list(folder.read_through(0, 2, gone))


def test_what_is_not_wanted_of_a_file_is_left_out(folder: ArchiveFolder) -> None:
    assert list(folder.read_through(0, 2, lambda _: None)) == []
