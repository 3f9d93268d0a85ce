"""Periods of a history: what is read of one is the same from the archive and from the log."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.events import Envelope, TransactionScored, TransactionSubmitted
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.archive.layout import Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import NOW, scored, submitted

_BOTH = frozenset({TransactionScored.NAME, TransactionSubmitted.NAME})


class Counting(ArchiveFolder):
    """Counts the files that are read."""

    read_files = 0

    def read(self, piece: Piece, columns: Any) -> Any:
        self.read_files += 1
        return super().read(piece, columns)


def at(fact: Envelope, number: int) -> Envelope:
    """The same at its own time, a second after the one before."""
    data = fact.data
    moved = replace(data.transaction, timestamp=NOW + number * 1_000_000)
    return replace(fact, data=replace(data, transaction=moved), time=moved.timestamp)


@pytest.fixture(params=[0, 3, 10])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Ten payments; of each partition so many records at most are archived, one in a file."""
    log = InMemoryEventLog()
    for number in range(10):
        for fact in (submitted(f"t-{number}"), scored(f"t-{number}")):
            log.append_nowait(TRANSACTIONS, fact.subject, at(fact, number))
    folder = Counting(str(tmp_path), TRANSACTIONS)
    for partition in range(TRANSACTIONS.partitions):
        records = log._slice(TRANSACTIONS, partition, 0, request.param)
        for each in records:
            row = ArchivedRecord(
                each.position.offset, None, each.value, "counts", decode(each.value)
            )
            place = each.position.offset
            folder.add(Piece(partition, place, place), table_of([row]))
    yield History(log, folder, log._ends(TRANSACTIONS)), folder
    log.close()


def test_a_period_holds_its_decisions_and_what_is_not_folded(history: Any) -> None:
    read, _ = history
    times = NOW + 2_000_000, NOW + 5_000_000
    found = [each.envelope for each in read.counting(_BOTH, times)]
    decided = sorted(each.subject for each in found if each.type.startswith(TransactionScored.NAME))
    assert decided == ["t-2", "t-3", "t-4"]
    made = [each.data.transaction for each in found if isinstance(each.data, TransactionScored)]
    assert [each.transaction for each in read.transactions(*times)] == made
    others = {each.subject for each in found if each.type.startswith(TransactionSubmitted.NAME)}
    assert others >= set(decided)


def test_files_outside_a_period_are_not_read(history: Any) -> None:
    read, folder = history
    events = read.events(since=NOW + 8_000_000)
    assert sorted(events.transaction_ids.tolist()) == ["t-8", "t-9"]
    if len(folder.pieces()) == 2 * 10:
        assert folder.read_files == 2


def test_times_and_facts_about_some_are_found(history: Any) -> None:
    read, _ = history
    times = np.sort(np.concatenate(list(read.times(TransactionScored.NAME))))
    assert times.tolist() == [NOW + n * 1_000_000 for n in range(10)]
    found = read.about(["t-3", "t-7", "none"], TransactionSubmitted.NAME)
    assert sorted(each.envelope.subject for each in found) == ["t-3", "t-7"]


def test_an_earlier_end_cuts_what_comes_later(history: Any) -> None:
    read, _ = history
    assert len(read.upto([0] * len(read.ends)).events()) == 0
    assert len(read.upto([10**6] * len(read.ends)).events()) == 10
