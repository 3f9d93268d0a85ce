"""An offline worker over a log in memory, stepped by hand, with its crashes and its clock."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from domain.errors import UnavailableError
from domain.events import Envelope
from domain.features import CATALOGUE, feature_event
from eventlog.archive.history import CountingRecord
from eventlog.batch import Batch, Record
from eventlog.codec import decode, encode
from eventlog.events_table import TableBuilder
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.faust.admission import RecordAdmission
from projections.offline.state_file import SqliteStates
from projections.offline.worker import OfflinePorts, OfflineVectors
from projections.replay.ideal import ideal_vectors
from tests.fakes.vectors import CrashError, InMemoryVectors, VectorDatabase

Made = TypeVar("Made")
SETTLE = 2.0
KEEP = 3.0


class SteppedLoop(asyncio.SelectorEventLoop):
    """Its time moves by hand; what is given to a thread runs in turn, so that a run repeats."""

    moment = 0.0

    def time(self) -> float:
        return self.moment

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Made], *args: Any
    ) -> asyncio.Future[Made]:
        made: asyncio.Future[Made] = self.create_future()

        def run() -> None:
            if made.cancelled():
                return
            try:
                made.set_result(func(*args))
            except Exception as error:
                made.set_exception(error)

        self.call_soon(run)
        return made


class OfflineWorld:
    """The log of all partitions, the database, and the worker of the moment."""

    def __init__(self, loop: SteppedLoop, folder: Path) -> None:
        self.loop = loop
        self.log: list[list[bytes]] = [[] for _ in range(TRANSACTIONS.partitions)]
        self.database = VectorDatabase()
        self.states = SqliteStates(folder / "states.sqlite")
        self._anew: asyncio.Task[None] | None = None

    async def start(self) -> None:
        admission = RecordAdmission(TRANSACTIONS.name, None, _no_letter)
        store = InMemoryVectors(self.database)
        ports = OfflinePorts(store, admission, self._ends, self._past, self.states)
        self.worker = OfflineVectors(ports, SETTLE, _no_hold, keep_seconds=KEEP)
        begins = await self.worker.assign(set(range(len(self.log))))
        self._at = [begins[partition] for partition in range(len(self.log))]

    def append(self, partition: int, record: Envelope | None) -> None:
        """None is a record that cannot be decoded."""
        self.log[partition].append(encode(record) if record else b"no event")

    async def read(self, partition: int, most: int) -> None:
        first = self._at[partition]
        values = self.log[partition][first : first + most]
        records: list[Record] = [(first + at, None, value) for at, value in enumerate(values)]
        if not records:
            return
        batch = Batch(TRANSACTIONS.name, partition, records, len(self.log[partition]))
        worker, done = self.worker, False
        while self.worker is worker and not done:
            done = await self._survives(worker.handle([batch]))
        # After a crash the worker of now begins anew.
        if self.worker is worker:
            self._at[partition] = batch.next

    async def read_all(self) -> None:
        for partition, records in enumerate(self.log):
            await self.read(partition, len(records))

    async def look(self) -> None:
        await self._survives(self.worker.look())

    async def make_anew(self) -> None:
        """Begins it; it goes on beside the next steps."""
        await self._tend()
        if self._anew is None:
            self._anew = asyncio.ensure_future(self.worker.make_anew())
        await self._tend()

    async def anew_ended(self) -> None:
        while self._anew is not None:
            await self._tend()

    async def crash(self) -> None:
        if self._anew is not None:
            self._anew.cancel()
            with suppress(asyncio.CancelledError, CrashError, UnavailableError):
                await self._anew
            self._anew = None
        await self.start()

    async def finish(self, rounds: int = 12) -> None:
        """All is read, and time passes."""
        self.database.trouble.clear()
        for _ in range(rounds):
            await self.read_all()
            self.loop.moment += SETTLE
            await self.look()
            await self.make_anew()
            await self.anew_ended()

    def expected(self) -> dict[str, bytes]:
        """The ideal vectors of the log, as float64 bytes."""
        builder = TableBuilder()
        for record in self._counting([len(each) for each in self.log]):
            event = feature_event(record.envelope)
            if event is not None:
                builder.add(record.position.partition, record.position.offset, event)
        events = builder.table()
        ideal = ideal_vectors(events, CATALOGUE, threads=1)
        ids = events.transaction_ids[ideal.at].tolist()
        return {i: values.tobytes() for i, values in zip(ids, ideal.values, strict=True)}

    async def _survives(self, step: Awaitable[None]) -> bool:
        """False where a store was away, or the worker crashed."""
        try:
            await step
        except UnavailableError:
            return False
        except CrashError:
            await self.crash()
            return False
        finally:
            await self._tend()
        return True

    async def _tend(self) -> None:
        await asyncio.sleep(0)
        if self._anew is not None and self._anew.done():
            anew, self._anew = self._anew, None
            await self._survives(anew)

    async def _ends(self) -> Sequence[int]:
        return [len(records) for records in self.log]

    async def _past(self, upto: Sequence[int]) -> Iterator[CountingRecord]:
        return self._counting(upto)

    def _counting(self, upto: Sequence[int]) -> Iterator[CountingRecord]:
        for partition, end in enumerate(upto):
            for offset, value in enumerate(self.log[partition][:end]):
                if value != b"no event":
                    position = Position(TRANSACTIONS.name, partition, offset)
                    yield CountingRecord(position, decode(value))


async def _no_letter(position: Position, original: bytes, reason: str) -> None:
    """Dead letters are kept nowhere."""


def _no_hold(partition: int, on: bool) -> None:
    """Fetching goes on: what is read is said by hand."""
