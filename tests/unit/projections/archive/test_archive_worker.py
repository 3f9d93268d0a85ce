"""The archive worker: archive and log read as one, whatever crashed, overlapped or came twice."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import IntegrityError, NotFoundError, UnavailableError
from domain.events import Envelope
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.archive.folder import ArchiveFolder, positions
from eventlog.archive.history import History
from eventlog.archive.layout import Piece
from eventlog.batch import Batch, Record
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.archive.worker import Archiver, Cut
from projections.faust.admission import RecordAdmission
from tests.fakes.events import imported, labelled, scored, submitted

_IDS = st.sampled_from(["t-1", "t-2"])
_FACTS = st.one_of(
    st.builds(submitted, _IDS, st.sampled_from("de")),
    st.builds(scored, _IDS, st.sampled_from("de"), outcome=st.sampled_from(["approve", "decline"])),
    st.builds(imported, _IDS),
    st.builds(labelled, _IDS, st.sampled_from(["r-1", "r-2"]), st.sampled_from([0, 1])),
    st.just(b"no event"),
)


async def _nowhere(position: Position, original: bytes, reason: str) -> None:
    """Drops dead letters."""


class Leaving(ArchiveFolder):
    """Dies on demand between adding a piece and removing the one that it replaces."""

    dies = False

    def remove(self, piece: Piece) -> None:
        if self.dies:
            raise UnavailableError("archive", "the process is gone")
        super().remove(piece)


@dataclass
class Bench:
    """A log, an archive of it, and workers that come and go."""

    path: Path
    log: InMemoryEventLog = field(default_factory=InMemoryEventLog)
    made: int = 0
    admissions: list[RecordAdmission] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = Leaving(str(self.path / "archive"), TRANSACTIONS)

    def append(self, fact: Envelope | bytes) -> None:
        value, key = (fact, "t-1") if isinstance(fact, bytes) else (encode(fact), fact.subject)
        self.log._store(TRANSACTIONS, key, value, None)

    async def worker(self, cut: Cut) -> tuple[Archiver, dict[int, int]]:
        """With a memory of its own, as after the loss of its disk."""
        self.made += 1
        admission = RecordAdmission(
            TRANSACTIONS.name, partial(SqliteMemory, self.path / f"{self.made}.sqlite"), _nowhere
        )
        self.admissions.append(admission)

        async def ends() -> list[int]:
            return self.log._ends(TRANSACTIONS)

        worker = Archiver(self.folder, admission, cut, ends, self.log.read_one)
        starts = await worker.assign(set(range(TRANSACTIONS.partitions)))
        return worker, dict(starts)

    async def feed(
        self, worker: Archiver, starts: dict[int, int], most: int, size: int, back: int = 0
    ) -> None:
        """Up to `most` records a partition, in batches of `size`; `back` of them once more."""
        for partition, end in enumerate(self.log._ends(TRANSACTIONS)):
            first, last = max(0, starts[partition] - back), min(end, starts[partition] + most)
            records = self.log._slice(TRANSACTIONS, partition, first, last - first)
            for at in range(0, len(records), size):
                chunk: list[Record] = [
                    (each.position.offset, (each.key or "").encode(), each.value)
                    for each in records[at : at + size]
                ]
                batch = Batch(TRANSACTIONS.name, partition, chunk, end)
                await worker.handle([batch])
            starts[partition] = max(starts[partition], last)

    def history(self, folder: ArchiveFolder) -> tuple[list[object], list[object]]:
        read = History(self.log, folder, self.log._ends(TRANSACTIONS))
        events = read.events()
        order = sorted(range(len(events)), key=lambda i: tuple(events.rows[i][:2].tolist()))
        keyed = [
            (
                events.rows[i].tolist(),
                int(events.known[i]),
                events.transaction_ids[i],
                {e: events.keys[e][c[i]] if c[i] >= 0 else None for e, c in events.codes.items()},
            )
            for i in order
        ]
        counting = sorted(
            ((each.position, each.envelope) for each in read.counting()), key=lambda each: each[0]
        )
        return list(keyed), list(counting)

    def close(self) -> None:
        for admission in self.admissions:
            admission.close()


@settings(max_examples=60)
@given(st.data())
async def test_archive_and_log_together_are_the_log_alone(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        small, workers = st.integers(1, 4), list[tuple[Archiver, dict[int, int]]]()
        for _ in range(data.draw(st.integers(0, 8), "steps")):
            for fact in data.draw(st.lists(_FACTS, max_size=8)):
                bench.append(fact)
            bench.folder.dies = False
            if not workers or data.draw(st.booleans(), "another"):
                workers.append(await bench.worker(Cut(records=data.draw(small))))
            # Any of them: those that were left behind go on writing.
            chosen = data.draw(st.sampled_from(range(len(workers))), "who")
            bench.folder.dies = data.draw(st.booleans(), "dies")
            try:
                await bench.feed(
                    *workers[chosen], data.draw(small), data.draw(small), data.draw(small)
                )
            except (UnavailableError, NotFoundError):
                del workers[chosen]
        for fact in data.draw(st.lists(_FACTS, max_size=6)):
            bench.append(fact)
        alone = ArchiveFolder(str(bench.path / "none"), TRANSACTIONS)
        assert bench.history(bench.folder) == bench.history(alone)
        bench.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for number in range(40):
        bench.append(submitted(f"t-{number}"))
    return bench


async def test_small_files_are_merged_and_positions_are_their_ends(bench: Bench) -> None:
    worker, starts = await bench.worker(Cut(records=2))
    await bench.feed(worker, starts, 100, 2)
    pieces = bench.folder.pieces()
    for partition, end in positions(pieces).items():
        assert end <= bench.log._ends(TRANSACTIONS)[partition] < end + 2
    bench.close()


async def test_records_that_wait_are_written_when_they_are_old(bench: Bench) -> None:
    worker, starts = await bench.worker(Cut(seconds=0.01))
    await bench.feed(worker, starts, 100, 10)
    watching = asyncio.create_task(worker.watch())
    try:
        ends = {p: at for p, at in enumerate(bench.log._ends(TRANSACTIONS)) if at}
        async with asyncio.timeout(10):
            while positions(bench.folder.pieces()) != ends:  # noqa: ASYNC110 (files alone tell)
                await asyncio.sleep(0.01)
    finally:
        watching.cancel()
    bench.close()


async def test_a_worker_refuses_offsets_that_neither_log_nor_archive_holds(bench: Bench) -> None:
    worker, starts = await bench.worker(Cut(records=1))
    await bench.feed(worker, starts, 1, 1)
    gone = {partition: at + 1 for partition, at in starts.items()}
    with pytest.raises(IntegrityError, match="neither in the log any more nor in the archive"):
        await bench.feed(worker, gone, 1, 1)
    bench.close()


async def test_an_archive_of_another_log_is_refused(bench: Bench) -> None:
    worker, starts = await bench.worker(Cut(records=1))
    await bench.feed(worker, starts, 100, 1)
    of_old = bench.log
    bench.log = InMemoryEventLog()
    with pytest.raises(IntegrityError, match="it is of another log"):
        await bench.worker(Cut())
    # As long as the old one, and of other facts.
    for number in range(80):
        bench.append(submitted(f"u-{number}"))
    ends, olds = bench.log._ends(TRANSACTIONS), of_old._ends(TRANSACTIONS)
    assert all(end >= old for end, old in zip(ends, olds, strict=True))
    with pytest.raises(IntegrityError, match="it is of another log"):
        await bench.worker(Cut())
    bench.close()
