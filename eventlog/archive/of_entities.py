"""Events of a few entities, found in a long log at the cost of the time that their features span.

Of the archive those files alone are opened that can hold an event of the span; of each first the
columns of the ids, and the rest only where one of the entities is in them. Behind the archive the
log itself is read, and a record without any of the ids in its bytes is not decoded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.errors import NotFoundError, UndecodableError
from domain.events import Envelope, TransactionImported, TransactionSubmitted
from domain.features import Entity, feature_event
from domain.features.entities import FIELDS, PAYER_FIELDS, key_parts
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive.arrays import event_table
from eventlog.archive.folder import ArchiveFolder, Link, chain, positions
from eventlog.archive.layout import FOLDED, Piece
from eventlog.codec import decode
from eventlog.events_table import EventTable, TableBuilder, joined
from eventlog.partitioning import partition_for
from eventlog.port import EventLog, Position
from eventlog.topics import TRANSACTIONS

_BOUNDS = ("time", "known_time", "transaction_time")
_READERS = 2
_NEWEST = 4
"""Files of a partition, from its newest back, that are searched for what the log repeats, beside
those of the span: who appends remembers every id, so that a copy follows within seconds."""
Ids = Mapping[str, frozenset[str]]
"""By a transaction's field the ids that are asked for."""
Checked = Callable[[], None]
"""Called again and again; what it raises ends the reading."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`since` bounds the events' own times; the rest says which files can be left alone.

    Asked for are events below `ends` (an offset per partition), and such as were known by `known`,
    of payments made by `made`. More may be given than is asked for, and never less.
    """

    ids: Ids
    since: int
    ends: Sequence[int]
    known: int
    made: int


@dataclass(frozen=True, slots=True)
class EntityEvents:
    """`event_ids` is as long as the table. It took `records` in `opened` of `files` files."""

    table: EventTable
    event_ids: NDArray[np.object_]
    files: int
    opened: int
    records: int


def ids_of(keys: Iterable[tuple[Entity, str]]) -> Ids:
    """By field what names these entities; of who pays, every field that may."""
    found: dict[str, set[str]] = {}
    for entity, key in keys:
        for name, value in zip(FIELDS[entity], key_parts(entity, key), strict=True):
            for field in PAYER_FIELDS if name == "payer_id" else (name,):
                found.setdefault(field, set()).add(value)
    return {name: frozenset(values) for name, values in found.items()}


class EntityReader:
    """Reads [the beginning, `ends`) of the transactions; what it saw of a file it remembers.

    One thread at a time. Raises LogUnavailableError, UnavailableError of the archive, and
    IntegrityError for a damaged one.
    """

    def __init__(self, log: EventLog, folder: ArchiveFolder) -> None:
        self._log, self._folder = log, folder
        self._bounds: dict[Piece, list[tuple[int, int] | None]] = {}

    def events(self, asked: Asked, ends: Sequence[int], checked: Checked) -> EntityEvents:
        """What counts of the entities, by partition and offset; `ends` are those of the log."""
        if not asked.ids:
            return EntityEvents(TableBuilder().table(), np.zeros(0, dtype=object), 0, 0, 0)
        try:
            return self._events(asked, ends, checked)
        except NotFoundError:
            # A file was merged into another meanwhile.
            return self._events(asked, ends, checked)

    def _events(self, asked: Asked, ends: Sequence[int], checked: Checked) -> EntityEvents:
        pieces = self._folder.pieces()
        reached = positions(pieces)
        archived = {p: min(reached.get(p, 0), end) for p, end in enumerate(ends)}
        links = [
            link
            for partition, end in archived.items()
            for link in chain([p for p in pieces if p.partition == partition], 0, end)
        ]
        chosen = [link for link in links if self._asked_for(link.piece, asked, checked)]
        with ThreadPoolExecutor(_READERS) as pool:
            found = pool.map(lambda link: self._of(link, asked, archived, checked), chosen)
            parts = [part for part in found if part is not None]
        tables, ids = [], []
        if parts:
            whole = pa.concat_tables(parts)
            tables.append(event_table(whole))
            ids.append(np.asarray(whole["event_id"].to_numpy(zero_copy_only=False), dtype=object))
        near = {*chosen, *_newest(links)}
        # Files of submissions alone have no times.
        sought = [e for e in links if e in near or self._bounds[e.piece][0] is None]
        live, names = self._live(asked, archived, ends, sought, checked)
        tables.append(live)
        ids.append(np.array(names, dtype=object))
        records = sum(link.piece.last - link.begin + 1 for link in chosen)
        return EntityEvents(joined(tables), np.concatenate(ids), len(links), len(chosen), records)

    def _asked_for(self, piece: Piece, asked: Asked, checked: Checked) -> bool:
        if piece not in self._bounds:
            checked()
            self._bounds[piece] = self._folder.all_bounds(piece, _BOUNDS)
        times, known, made = self._bounds[piece]
        if times is None or known is None or made is None or times[1] < asked.since:
            return False
        below = piece.first < asked.ends[piece.partition]
        return below or (known[0] <= asked.known and made[0] <= asked.made)

    def _of(
        self, link: Link, asked: Asked, archived: Mapping[int, int], checked: Checked
    ) -> pa.Table | None:
        """What of a file is about the entities; None where nothing is."""
        checked()
        piece = link.piece
        looked = self._folder.read(piece, ["offset", "verdict", "time", *asked.ids])
        mask = _about(looked, asked.ids)
        mask &= _is_in(looked["verdict"], frozenset({"counts"}))
        times = pc.fill_null(looked["time"], asked.since - 1).to_numpy()
        offsets = looked["offset"].to_numpy()
        mask &= (times >= asked.since) & (offsets >= link.begin)
        mask &= offsets < archived[piece.partition]
        if not mask.any():
            return None
        names = [field.name for field in FOLDED]
        found = self._folder.read(piece, ["offset", "event_id", *names]).filter(pa.array(mask))
        # Dictionaries of whole files would be kept for a few rows.
        columns = [
            column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            for column in found.columns
        ]
        made = pa.table(dict(zip(found.column_names, columns, strict=True)))
        return made.append_column("partition", pa.repeat(piece.partition, len(made)))

    def _live(
        self,
        asked: Asked,
        start: Mapping[int, int],
        ends: Sequence[int],
        links: Sequence[Link],
        checked: Checked,
    ) -> tuple[EventTable, list[str]]:
        read = [
            (place, envelope)
            for place, envelope in self._read(start, ends, asked.ids, checked)
            if any(_named(envelope, name) in ids for name, ids in asked.ids.items())
        ]
        builder, names = TableBuilder(), []
        for place, envelope in self._counting(read, start, links):
            event = feature_event(envelope)
            if event is not None and event.time >= asked.since:
                builder.add(place.partition, place.offset, event)
                names.append(envelope.id)
        return builder.table(), names

    def _read(
        self, start: Mapping[int, int], ends: Sequence[int], ids: Ids, checked: Checked
    ) -> Iterator[tuple[Position, Envelope]]:
        sought = [_as_written(each) for each in frozenset().union(*ids.values())]
        for number, recorded in enumerate(
            self._log.read(TRANSACTIONS, start, dict(enumerate(ends)))
        ):
            if number % 1000 == 0:
                checked()
            if not any(each in recorded.value for each in sought):
                continue
            try:
                yield recorded.position, decode(recorded.value)
            except UndecodableError:
                continue

    def _counting(
        self,
        read: Sequence[tuple[Position, Envelope]],
        start: Mapping[int, int],
        links: Sequence[Link],
    ) -> Iterator[tuple[Position, Envelope]]:
        """Without what repeats another record, in the log or in these files of the archive.

        What neither holds the origin of counts once by its id: nobody appends a label before it.
        """
        archived = self._archived_of({each.subject for _, each in read}, start, links)
        origins = TransactionSubmitted | TransactionImported
        begun = {e.subject for _, e in [*archived, *read] if isinstance(e.data, origins)}
        admission, seen = Admission(DictMemory()), {envelope.id for _, envelope in archived}
        for place, envelope in archived:
            admission.admit(envelope, place.partition, place.offset)
        for place, envelope in read:
            if envelope.subject in begun:
                counts = admission.admit(envelope, place.partition, place.offset)
            else:
                counts = envelope.id not in seen
                seen.add(envelope.id)
            if counts:
                yield place, envelope

    def _archived_of(
        self, subjects: set[str], start: Mapping[int, int], links: Sequence[Link]
    ) -> list[tuple[Position, Envelope]]:
        """What counts of these transactions, in the log's order."""
        found: list[tuple[Position, Envelope]] = []
        wanted = {partition_for(each, TRANSACTIONS.partitions) for each in subjects}
        for link in links:
            partition, names = link.piece.partition, frozenset(subjects)
            if partition not in wanted:
                continue
            table = self._folder.read(link.piece, ["offset", "verdict", "subject"])
            offsets = table["offset"].to_numpy()
            mask = _is_in(table["subject"], names) & (offsets < start[partition])
            mask &= _is_in(table["verdict"], frozenset({"counts"})) & (offsets >= link.begin)
            if mask.any():
                values = self._folder.read(link.piece, ["value"])["value"].filter(pa.array(mask))
                places = (Position(TRANSACTIONS.name, partition, o) for o in offsets[mask].tolist())
                found += zip(places, map(decode, values.to_pylist()), strict=True)
        return found


def _newest(links: Sequence[Link]) -> set[Link]:
    found: set[Link] = set()
    for partition in {link.piece.partition for link in links}:
        found.update([link for link in links if link.piece.partition == partition][-_NEWEST:])
    return found


def _about(table: pa.Table, ids: Ids) -> NDArray[np.bool_]:
    mask = np.zeros(len(table), dtype=np.bool_)
    for name, wanted in ids.items():
        mask |= _is_in(table[name], wanted)
    return mask


def _is_in(column: pa.ChunkedArray, wanted: frozenset[str]) -> NDArray[np.bool_]:
    """Each text of a dictionary is compared once."""
    values = pa.array(sorted(wanted), pa.string())
    parts = [np.zeros(0, dtype=np.bool_)]
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            same = np.append(pc.is_in(chunk.dictionary, value_set=values).to_numpy(False), False)
            numbers = pc.fill_null(chunk.indices.cast(pa.int64()), len(same) - 1)
            parts.append(same[numbers.to_numpy(False)])
        else:
            parts.append(pc.is_in(chunk, value_set=values).to_numpy(False))
    return np.concatenate(parts)


def _named(envelope: Envelope, field: str) -> str | None:
    """A transaction's own field, or that which a label has copied."""
    data = envelope.data
    found: str | None = getattr(getattr(data, "transaction", data), field, None)
    return found


def _as_written(text: str) -> bytes:
    """As it stands in a record, without its quotes."""
    return msgspec.json.encode(text)[1:-1]
