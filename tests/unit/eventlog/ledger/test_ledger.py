"""The ledger's own tail: where it begins, and what happens when it cannot go on."""

import asyncio
from pathlib import Path

import pytest

from domain.errors import IntegrityError, LogUnavailableError
from eventlog.in_memory import InMemoryEventLog
from eventlog.index.files import FolderFiles
from eventlog.ledger.ledger import Ledger
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import submitted


def following(log: InMemoryEventLog, path: Path) -> Ledger:
    ledger = Ledger(log, FolderFiles(path))
    ledger.start()
    return ledger


async def test_memory_of_another_log_ends_the_ledger_at_once_and_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "api"
    first = InMemoryEventLog()
    place = await first.append(TRANSACTIONS, "t-1", submitted("t-1"))
    ledger = following(first, path)
    # Kept by the thread that tails, which tells nobody.
    async with asyncio.timeout(30):
        while not any(file.stat().st_size for file in path.glob("*.ids")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    ledger.close()

    ledger = following(InMemoryEventLog(), path)
    with pytest.raises(IntegrityError, match="belongs to another log"):
        await asyncio.wait_for(ledger.failed(), 30)
    with pytest.raises(LogUnavailableError):
        await asyncio.wait_for(ledger.passed(place.partition, place.offset + 1), 3)
    ledger.close()

    assert not path.exists()
