"""The ledger's own tail: where it begins, and what happens when it cannot go on."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import IntegrityError, LogUnavailableError
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.in_memory import InMemoryEventLog
from eventlog.ledger import ledger as module
from eventlog.ledger.ledger import Ledger
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import submitted


def following(log: InMemoryEventLog, path: Path, covered: Callable[[], dict[int, int]]) -> Ledger:
    ledger = Ledger(log, SqliteMemory(path), covered)
    ledger.start()
    return ledger


async def test_memory_of_another_log_ends_the_ledger_at_once_and_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = InMemoryEventLog()
    place = await first.append(TRANSACTIONS, "t-1", submitted("t-1"))
    ledger = following(first, path, dict)
    await ledger.passed(place.partition, place.offset)
    ledger.close()

    ledger = following(InMemoryEventLog(), path, dict)
    with pytest.raises(IntegrityError, match="belongs to another log"):
        await asyncio.wait_for(ledger.failed(), 5)
    began = time.monotonic()
    with pytest.raises(LogUnavailableError):
        await ledger.passed(place.partition, place.offset + 1)
    assert time.monotonic() - began < 1
    ledger.close()

    assert SqliteMemory(path).positions() == {}


async def test_records_beyond_the_size_of_the_tail_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REACH", 3)
    path = tmp_path / "ledger.sqlite"
    log = InMemoryEventLog()
    for _ in range(10):
        place = await log.append(TRANSACTIONS, "t-1", submitted("t-1"))
    ledger = following(log, path, dict)
    await ledger.passed(place.partition, place.offset)
    ledger.close()

    # Redis was flushed: nothing is covered.
    ledger = Ledger(log, SqliteMemory(path), lambda: dict.fromkeys(range(8), 0))
    assert ledger.ends()[place.partition] == 7
    ledger.close()
