"""Status of the archive: how far it reaches, what is missing, and whose log it is of."""

from pathlib import Path

import pytest

from domain.errors import IntegrityError, UnavailableError
from domain.events import Envelope
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.identity import check_same_log
from eventlog.archive.layout import Piece
from eventlog.archive.status import PartitionStatus, status_of
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import NOW, imported, submitted

ENDS = [0] * TRANSACTIONS.partitions


@pytest.fixture
def folder(tmp_path: Path) -> ArchiveFolder:
    return ArchiveFolder(str(tmp_path / "archive"), TRANSACTIONS)


def put(folder: ArchiveFolder, first: int, *events: Envelope | None, partition: int = 0) -> int:
    """One file of these events, None for a dead one; returns its bytes."""
    records = [
        ArchivedRecord(first + at, b"t", encode(event) if event else b"?",
                       "counts" if event else "dead", event)
        for at, event in enumerate(events)
    ]  # fmt: skip
    piece = Piece(partition, first, first + len(events) - 1)
    folder.add(piece, table_of(records))
    return folder.sizes()[piece]


def log_of(*events: Envelope | None, partition: int = 0) -> InMemoryEventLog:
    log = InMemoryEventLog()
    for event in events:
        log._store(TRANSACTIONS, "t", encode(event) if event else b"?", partition)
    return log


def check(folder: ArchiveFolder, log: InMemoryEventLog) -> None:
    check_same_log(folder, folder.pieces(), log._ends(TRANSACTIONS), log.read_one)


def test_each_partition_has_its_end_and_its_known_times(folder: ArchiveFolder) -> None:
    size = put(folder, 0, submitted("t-1"), imported("t-2", known_time=NOW + 7))
    size += put(folder, 2, imported("t-3", known_time=NOW - 9), None)
    only = put(folder, 0, submitted("t-4"), partition=2)
    found = status_of(folder, [5, 3, 1])
    assert found == [
        PartitionStatus(0, 4, 5, 2, size, NOW - 9, NOW + 7, 0),
        PartitionStatus(1, 0, 3, 0, 0, None, None, 0),
        PartitionStatus(2, 1, 1, 1, only, None, None, 0),
    ]
    assert [each.lag for each in found] == [1, 3, 0]


def test_files_behind_a_gap_are_reported_and_not_counted_as_archived(folder: ArchiveFolder) -> None:
    put(folder, 0, submitted("t-1"))
    put(folder, 2, submitted("t-3"))
    put(folder, 3, submitted("t-4"))
    (found,) = status_of(folder, [4])
    assert (found.archived, found.lag, found.files, found.unreachable) == (1, 3, 3, 2)


def test_an_archive_that_grew_since_the_log_was_asked_lags_by_none(folder: ArchiveFolder) -> None:
    put(folder, 0, submitted("t-1"), submitted("t-2"))
    (found,) = status_of(folder, [1])
    assert (found.archived, found.end, found.lag) == (2, 2, 0)


def test_a_folder_that_is_missing_is_named(folder: ArchiveFolder) -> None:
    with pytest.raises(UnavailableError, match=rf"there is no {folder.place}: .*ARCHIVE_URL"):
        status_of(folder, ENDS)


def test_an_archive_of_its_log_passes_the_check(folder: ArchiveFolder) -> None:
    check(folder, log_of())
    events = [submitted("t-1"), submitted("t-2"), None]
    put(folder, 0, *events)
    check(folder, log_of(*events, submitted("t-4")))


def test_an_archive_that_reaches_past_the_log_is_of_another_log(folder: ArchiveFolder) -> None:
    put(folder, 0, submitted("t-1"), submitted("t-2"), partition=1)
    with pytest.raises(IntegrityError, match=r"partition 1 up to offset 2, and the log ends at 1"):
        check(folder, log_of(submitted("t-1"), partition=1))


@pytest.mark.parametrize("there", [submitted("t-9"), None])
def test_an_archive_that_ends_in_another_event_is_of_another_log(
    folder: ArchiveFolder, there: Envelope | None
) -> None:
    put(folder, 0, submitted("t-1"), submitted("t-2"), None)
    with pytest.raises(IntegrityError, match=r"at offset 1 of partition 0, .* of another log"):
        check(folder, log_of(submitted("t-1"), there, None, submitted("t-4")))


def test_what_the_log_no_longer_holds_is_not_compared(folder: ArchiveFolder) -> None:
    put(folder, 0, submitted("t-1"))
    log = log_of(submitted("t-9"))
    log._topics[TRANSACTIONS.name][0].clear()
    check_same_log(folder, folder.pieces(), [1, *ENDS[1:]], log.read_one)
