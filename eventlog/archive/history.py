"""History: the whole log by position, from the archive as far as it goes, then from Kafka.

A reader cannot see where one ends and the other begins.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.errors import UndecodableError
from domain.events import Envelope, TransactionImported, TransactionScored
from domain.features import feature_event
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive.arrays import event_table
from eventlog.archive.counting import mask_of, wanted_of
from eventlog.archive.folder import ArchiveFolder, Link, chain, positions
from eventlog.archive.layout import FOLDED, Piece
from eventlog.codec import Carried, carried_by, carried_of, decode
from eventlog.events_table import EventTable, TableBuilder, joined
from eventlog.port import EventLog, Position

_OF_RECORD = ("offset", "value", "verdict", "type")
_LAST = 1 << 62  # after every event time
_GIVEN = ["offset", *(field.name for field in FOLDED)]
_FOLDED = ("verdict", *_GIVEN)
_BATCH = 5_000
_SOUGHT = 200_000  # at once, where each batch is a search of the archive for the same transactions
_READERS = 2  # partitions at once: decompression and casts run outside the interpreter's lock
Progress = Callable[[int], None]
"""Called with the number of records read since the last call."""


@dataclass(frozen=True, slots=True)
class CountingRecord:
    """A record of the log that counts, decoded."""

    position: Position
    envelope: Envelope


class History:
    """Reads [the beginning, `ends`) of one topic; `ends` are offsets per partition."""

    def __init__(self, log: EventLog, folder: ArchiveFolder, ends: Sequence[int]) -> None:
        self._log, self._folder, self.ends = log, folder, tuple(ends)

    def archived(self) -> dict[int, int]:
        """Per partition how far the archive is read; beyond it the log is."""
        reached = positions(self._folder.pieces())
        return {p: min(reached.get(p, 0), end) for p, end in enumerate(self.ends)}

    def upto(self, ends: Sequence[int]) -> "History":
        """The same log, as far as earlier `ends`."""
        return History(self._log, self._folder, tuple(map(min, ends, self.ends)))

    @property
    def url(self) -> str:
        """Of the archive, for a process that reads its files by itself."""
        return self._folder.url

    def links(self, archived: Mapping[int, int]) -> list[Link]:
        """The files that hold what is `archived`, each offset once."""
        pieces = self._folder.pieces()
        return [
            link
            for partition, end in archived.items()
            for link in chain([p for p in pieces if p.partition == partition], 0, end)
        ]

    def behind(self, archived: Mapping[int, int], progress: Progress) -> Iterator[CountingRecord]:
        """What counts of the log behind what is `archived`."""
        for position, envelope in self._live(archived, progress):
            yield CountingRecord(position, envelope)

    def events(
        self,
        progress: Progress = lambda _: None,
        by_known_time: bool = False,
        since: int | None = None,
    ) -> EventTable:
        """All that counts and that features fold, by partition and offset.

        With `by_known_time` what is archived comes by known time first: a replay then need not
        put it in order again. With `since` only what has that event time or a later one; archived
        files without any are not read.
        """
        archived = self.archived()
        with ThreadPoolExecutor(_READERS) as readers:
            read = readers.map(
                lambda item: self._folded(item[0], item[1], progress, since), archived.items()
            )
            parts = [table for of_partition in read for table in of_partition]
        tables = [event_table(pa.concat_tables(parts), by_known_time)] if parts else []
        del parts
        builder = TableBuilder()
        for position, envelope in self._live(archived, progress):
            event = feature_event(envelope)
            if event is not None and (since is None or event.time >= since):
                builder.add(position.partition, position.offset, event)
        return joined([*tables, builder.table()])

    def counting(
        self, kinds: frozenset[str] | None = None, times: tuple[int, int] | None = None
    ) -> Iterator[CountingRecord]:
        """What counts, decoded; of event types that begin with one of `kinds`, or of all.

        By partition and offset within the archive, then by that within the log. With `times` what
        features fold outside [begin, end) of event time is left out, and with it every archived
        file that holds nothing else.
        """

        columns = ("time",) if times else ()
        wanted = wanted_of(kinds, times)
        return self._records(columns, lambda table: mask_of(table, kinds, times), wanted, times)

    def transactions(self, begin: int, end: int) -> Iterator[Carried]:
        """Decided or imported ones with begin <= event time < end, in the order of `counting`.

        Of what is archived nothing else is decoded.
        """
        kinds = frozenset({TransactionScored.NAME, TransactionImported.NAME})
        times = begin, end
        archived = self.archived()
        columns = ("offset", "value", "verdict", "type", "time")
        for partition, upto in archived.items():
            for table in self._pieces(partition, upto, columns, times):
                kept = table.filter(mask_of(table, kinds, times))
                yield from map(carried_by, kept["value"].to_pylist())
        wanted = wanted_of(kinds, times)
        for _, envelope in self._live(archived, lambda _: None):
            if wanted(envelope):
                yield carried_of(envelope)

    def times(self, kind: str) -> Iterator[NDArray[np.int64]]:
        """Event times, in microseconds, of what counts of one kind that features fold; in blocks.

        Archived records are not decoded for it.
        """
        archived = self.archived()
        for partition, end in archived.items():
            for table in self._pieces(partition, end, ("offset", "verdict", "type", "time")):
                kept = table.filter(mask_of(table, frozenset({kind}), None))
                yield np.asarray(pc.drop_null(kept["time"]), dtype=np.int64)
        live = self._live(archived, lambda _: None)
        found = (feature_event(each) for _, each in live if each.type.startswith(kind))
        yield np.fromiter((event.time for event in found if event is not None), dtype=np.int64)

    def about(self, subjects: Iterable[str], kind: str) -> Iterator[CountingRecord]:
        """What counts of one kind about some transactions; reads all of the archive."""
        wanted = set(subjects)
        values = pa.array(sorted(wanted), pa.string())

        def mine(table: pa.Table) -> pa.ChunkedArray:
            of_them = pc.is_in(table["subject"], value_set=values)
            return pc.and_(mask_of(table, frozenset({kind}), None), of_them)

        return self._records(
            ("subject",), mine, lambda each: each.type.startswith(kind) and each.subject in wanted
        )

    def named(self, event_id: str) -> CountingRecord | None:
        """The event of that id, None where none counts; reads all of the archive."""

        def same(table: pa.Table) -> pa.ChunkedArray:
            named = pc.fill_null(pc.equal(table["event_id"], event_id), False)
            return pc.and_(mask_of(table, None, None), named)

        return next(self._records(("event_id",), same, lambda each: each.id == event_id), None)

    @property
    def _topic(self) -> str:
        return self._folder.topic.name

    def _records(
        self,
        columns: Sequence[str],
        mask: Callable[[pa.Table], pa.ChunkedArray],
        wanted: Callable[[Envelope], bool],
        times: tuple[int, int] | None = None,
    ) -> Iterator[CountingRecord]:
        """What of the archive is in the `mask` of a table, which has these `columns` too, and what
        of the log behind it is `wanted`: one question, asked of both."""
        archived = self.archived()
        for partition, end in archived.items():
            for table in self._pieces(partition, end, (*_OF_RECORD, *columns), times):
                kept = table.filter(mask(table))
                offsets, values = kept["offset"].to_pylist(), kept["value"].to_pylist()
                for offset, value in zip(offsets, values, strict=True):
                    yield CountingRecord(Position(self._topic, partition, offset), decode(value))
        for position, envelope in self._live(archived, lambda _: None):
            if wanted(envelope):
                yield CountingRecord(position, envelope)

    def _folded(
        self, partition: int, end: int, progress: Progress, since: int | None
    ) -> list[pa.Table]:
        """What of the archive's part of one partition counts and is folded, piece by piece."""
        tables = []
        within = None if since is None else (since, _LAST)
        for table in self._pieces(partition, end, _FOLDED, within):
            progress(len(table))
            kept = pc.and_(mask_of(table, None, within), pc.is_valid(table["kind"]))
            folded = table.select(_GIVEN).append_column(
                "partition", pa.repeat(partition, len(table))
            )
            tables.append(folded if pc.all(kept).as_py() else folded.filter(kept))
        return tables

    def _pieces(
        self, partition: int, end: int, columns: Sequence[str], times: tuple[int, int] | None = None
    ) -> Iterator[pa.Table]:
        def read(link: Link) -> pa.Table | None:
            if times is None or self._has(link.piece, times, folded="value" not in columns):
                return self._cut(link.piece, link.begin, end, columns)
            return None

        return self._folder.read_through(partition, end, read)

    def _has(self, piece: Piece, times: tuple[int, int], *, folded: bool) -> bool:
        """Whether the file can have something of these times, or else something not folded."""
        bounds = self._folder.bounds(piece, "time")
        if bounds is None:
            return not folded
        return bounds[0] < times[1] and bounds[1] >= times[0]

    def _cut(self, piece: Piece, begin: int, end: int, columns: Sequence[str]) -> pa.Table:
        table = self._folder.read(piece, columns)
        if piece.first >= begin and piece.last < end:
            return table
        offsets = table["offset"]
        kept = pc.and_(pc.greater_equal(offsets, begin), pc.less(offsets, end))
        return table.filter(kept)

    def _live(
        self, start: Mapping[int, int], progress: Progress
    ) -> Iterator[tuple[Position, Envelope]]:
        """What counts of [start, ends) in the log, given what the archive holds of the same ids."""
        memory = DictMemory()
        admission = Admission(memory)
        batch: list[tuple[Position, Envelope]] = []
        upto = dict(enumerate(self.ends))
        archived = any(start.values())
        for recorded in self._log.read(self._folder.topic, start, upto):
            try:
                batch.append((recorded.position, decode(recorded.value)))
            except UndecodableError:
                continue
            finally:
                progress(1)
            if len(batch) >= (_SOUGHT if archived else _BATCH):
                yield from self._admitted(batch, start, admission)
                batch = []
        yield from self._admitted(batch, start, admission)

    def _admitted(
        self,
        batch: Sequence[tuple[Position, Envelope]],
        start: Mapping[int, int],
        admission: Admission,
    ) -> Iterator[tuple[Position, Envelope]]:
        if batch and any(start.values()):
            self._remember(batch, start, admission)
        admission.expect([envelope for _, envelope in batch])
        for position, envelope in batch:
            if admission.admit(envelope, position.partition, position.offset):
                yield position, envelope

    def _remember(
        self,
        batch: Sequence[tuple[Position, Envelope]],
        start: Mapping[int, int],
        admission: Admission,
    ) -> None:
        """Admits what is archived of the same transactions first, so that later copies are void."""
        subjects = pa.array({envelope.subject for _, envelope in batch}, pa.string())
        for partition, end in start.items():
            for table in self._pieces(partition, end, ("offset", "subject", "value")):
                same = table.filter(pc.is_in(table["subject"], value_set=subjects))
                for offset, value in zip(
                    same["offset"].to_pylist(), same["value"].to_pylist(), strict=True
                ):
                    admission.admit(decode(value), partition, offset)
