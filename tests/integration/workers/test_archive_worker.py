"""The archive worker on a real log: killed while it writes, it loses and doubles nothing."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from domain.features.kernel.row_layout import OFFSET, PARTITION, Rows
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.archive.folder import ArchiveFolder, chain, positions
from eventlog.archive.history import History
from eventlog.archive.layout import DRAFT
from eventlog.topics import TRANSACTIONS
from runtime.settings import Settings
from tests.builders.workers.history import lay_down, until
from tests.builders.workers.process import WorkerProcess

_KILLS = 3
_MORE = 40
_MOST = 20_000

Row = tuple[int, int, str, bytes]


@pytest.fixture
def folder(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ArchiveFolder:
    """An archive that closes a file as often as it can, each replacing the one before it."""
    monkeypatch.setenv("RETRACE_ARCHIVE_SECONDS", "0.01")
    return ArchiveFolder(settings.archive_url, TRANSACTIONS)


def drafts(folder: ArchiveFolder) -> set[Path]:
    return set(Path(folder.place).glob(f"partition=*/*{DRAFT}"))


def lay_down_until_it_writes(log: KafkaEventLog, folder: ArchiveFolder, laid: int) -> int:
    """Returns how many records were appended once a file is being written."""
    before = drafts(folder)
    while laid < _MOST:
        lay_down(log, range(laid, laid + _MORE))
        laid += _MORE
        # Polled without a pause: a file is written within milliseconds.
        look_until = time.monotonic() + 0.5
        while time.monotonic() < look_until:
            if drafts(folder) - before:
                return laid
    raise AssertionError(f"no file was seen being written, of {laid} facts")


def archived(folder: ArchiveFolder) -> list[Row]:
    """Each record that readers are given, by partition and offset."""
    rows: list[Row] = []
    pieces = folder.pieces()
    for partition, end in sorted(positions(pieces).items()):
        for link in chain([p for p in pieces if p.partition == partition], 0, end):
            table = folder.read(link.piece, ("offset", "key", "value"))
            rows += [
                (partition, each["offset"], each["key"], each["value"])
                for each in table.to_pylist()
                if each["offset"] >= link.begin
            ]
    return rows


def logged(log: KafkaEventLog) -> list[Row]:
    return sorted(
        (each.position.partition, each.position.offset, each.key or "", each.value)
        for each in log.read(TRANSACTIONS)
    )


def read(log: KafkaEventLog, folder: ArchiveFolder, ends: list[int]) -> Rows:
    """What counts, by partition and offset."""
    rows = History(log, folder, ends).events().rows
    return rows[np.lexsort((rows[:, OFFSET], rows[:, PARTITION]))]


def reached(folder: ArchiveFolder, ends: dict[int, int]) -> bool:
    return positions(folder.pieces()) == ends


async def ends_of(log: KafkaEventLog) -> dict[int, int]:
    return {p: end for p, end in enumerate(await log.ends(TRANSACTIONS)) if end}


async def test_a_worker_killed_while_it_writes_loses_and_doubles_nothing(
    start: Callable[[str], WorkerProcess], folder: ArchiveFolder, log: KafkaEventLog
) -> None:
    laid, left = 0, set[Path]()
    worker = start("archive")
    # A kill may come a moment late, when the file is whole: then it is tried again.
    while len(left) < _KILLS:
        laid = lay_down_until_it_writes(log, folder, laid)
        worker.kill()
        left |= drafts(folder)
        worker.start()
    ends = await ends_of(log)
    until(partial(reached, folder, ends), what="the end of the log")
    assert worker.stop() == 0
    assert archived(folder) == logged(log)
    nothing = ArchiveFolder(f"{folder.url}.none", TRANSACTIONS)
    mine, theirs = (read(log, each, list(ends.values())) for each in (folder, nothing))
    assert len(mine) == laid + len(range(0, laid, 7))
    assert np.array_equal(mine, theirs)
