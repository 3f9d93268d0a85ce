"""Files of an index: what a ledger kept is gone on from, and a disk that is full stops nothing."""

from pathlib import Path

import pytest

from domain.errors import IntegrityError, SettingsError, UnavailableError
from domain.events import Envelope
from eventlog.in_memory import InMemoryEventLog
from eventlog.index import keeping, opening, places
from eventlog.index.blocks import blocks
from eventlog.index.files import FilesInRam, FolderFiles
from eventlog.index.ports import IndexFiles
from eventlog.ledger.ledger import Ledger
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import scored, submitted


async def read(log: InMemoryEventLog, files: IndexFiles) -> Ledger:
    ledger = Ledger(log, files)
    ledger.start()
    await ledger.caught_up()
    return ledger


async def append(log: InMemoryEventLog, *envelopes: Envelope) -> None:
    for each in envelopes:
        await log.append(TRANSACTIONS, each.subject, each)


def of_one_partition(log: InMemoryEventLog, count: int) -> list[str]:
    names = (f"t-{n}" for n in range(100_000))
    return [name for name in names if log.partition_of(TRANSACTIONS, name) == 3][:count]


@pytest.mark.parametrize("loaded", [1 << 20, 1])
async def test_a_restart_knows_all_whether_the_file_was_made_anew_or_not(
    loaded: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_LOADED", loaded)
    monkeypatch.setattr(keeping, "_PART", 100)
    monkeypatch.setattr(places, "_NEW", 3)
    monkeypatch.setattr(opening, "_MANY_BLOCKS", 2)
    log = InMemoryEventLog()
    names = of_one_partition(log, 40)
    for start in range(0, 40, 8):
        some = names[start : start + 8]
        await append(log, *map(submitted, some), scored(some[0]))
        ledger = await read(log, FolderFiles(tmp_path / "api"))
        for each in names[: start + 8]:
            assert await ledger.recalled(each)
        decided = await ledger.recalled(some[0])
        assert decided is not None
        assert decided.scored_offset is not None
        assert await ledger.recalled("t-none") is None
        assert len(await ledger.undecided()) == (start + 8) // 8 * 7
        ledger.close()
    files = FolderFiles(tmp_path / "api")
    held = list(blocks(files.read(3)))
    assert held[-1].reached.next == 45
    assert sum(len(each.entries[0]) for each in held) == 45
    files.close()


class Full(FilesInRam):
    full = False

    def append(self, partition: int, at: int, data: bytes) -> None:
        if self.full:
            raise UnavailableError("disk", "full")
        super().append(partition, at, data)


async def test_a_full_disk_stops_nothing_and_what_it_did_not_take_is_read_again() -> None:
    log, files = InMemoryEventLog(), Full()
    first, second, third = of_one_partition(log, 3)
    for name, files.full in ((first, False), (second, True)):
        await append(log, submitted(name))
        ledger = await read(log, files)
        assert await ledger.recalled(name)
        ledger.close()
    assert [each.reached.next for each in blocks(files.read(3))] == [1]
    files.full = False
    await append(log, submitted(third))
    ledger = await read(log, files)
    assert [(await ledger.recalled(name)) is not None for name in (first, second, third)]
    ledger.close()
    assert [each.reached.next for each in blocks(files.read(3))] == [1, 3]


async def test_a_log_that_was_set_back_is_noticed() -> None:
    """It has the same topic, and other records where the index was made from."""
    log, files = InMemoryEventLog(), FilesInRam()
    first, second = of_one_partition(log, 2)
    await append(log, submitted(first), submitted(second))
    (await read(log, files)).close()
    other = InMemoryEventLog()
    await append(other, submitted(first), *(submitted("other") for _ in range(3)))
    await append(other, *(submitted(first, digest="other") for _ in range(3)))
    ledger = Ledger(other, files)
    ledger.start()
    with pytest.raises(IntegrityError, match="another record than the log has at offset 1"):
        await ledger.failed()
    ledger.close()
    assert not files.held


def test_a_folder_is_of_one_process(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path / "api")
    files.append(1, 0, b"whole")
    files.append(1, 3, b"X")
    assert bytes(files.read(1)) == b"whoX"
    assert bytes(files.read(2)) == b""
    files.replace(1, b"anew")
    assert bytes(files.read(1)) == b"anew"
    with pytest.raises(SettingsError, match="is in use by another process"):
        FolderFiles(tmp_path / "api")
    files.close()
