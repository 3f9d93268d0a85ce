"""ArchivedIds: entries of the index of ids, from the archive's columns.

Nothing is decoded: of what counts the archive holds the type, the offset and the transaction's
digest, of a submission its id.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.errors import NotFoundError
from eventlog.archive.folder import ArchiveFolder, Link, chain, positions
from eventlog.archive.layout import Piece
from eventlog.index.blocks import Reached, mark_of
from eventlog.index.entries import KIND_OF, Ints, Sorted, joined, name_of, packed
from eventlog.index.ports import ArchivedEntries
from eventlog.port import Position, Recorded

_COLUMNS = "offset", "verdict", "type", "subject", "transaction_digest"
_NO_KIND = -1
_READERS = 2  # files at once: decompression runs outside the interpreter's lock


class ArchivedIds:
    """Implements eventlog.index.ports.Archived."""

    def __init__(self, folder: ArchiveFolder) -> None:
        self._folder = folder

    def next(self, partition: int) -> int:
        return positions(self._folder.pieces(partition)).get(partition, 0)

    def entries(self, partition: int) -> ArchivedEntries:
        try:
            return self._entries(partition)
        except NotFoundError:
            # A file was merged into another meanwhile.
            return self._entries(partition)

    def record(self, partition: int, offset: int) -> Recorded:
        for piece in self._folder.pieces(partition):
            if piece.first <= offset <= piece.last:
                table = self._folder.read(piece, ("offset", "key", "value"))
                for row in table.filter(pc.equal(table["offset"], offset)).to_pylist():
                    place = Position(self._folder.topic.name, partition, offset)
                    return Recorded(place, row["key"], row["value"])
        raise NotFoundError("record", f"{self._folder.topic.name}/{partition}/{offset}")

    def _entries(self, partition: int) -> ArchivedEntries:
        pieces = self._folder.pieces(partition)
        links = list(chain(pieces, 0, positions(pieces).get(partition, 0)))
        if not links:
            raise NotFoundError("archive of partition", str(partition))
        with ThreadPoolExecutor(_READERS) as readers:
            parts = list(readers.map(self._counting, links))
        # What was read is large beside what is left of it.
        pa.default_memory_pool().release_unused()
        return ArchivedEntries(joined(parts), self._reached(links[-1].piece))

    def _counting(self, link: Link) -> Sorted:
        table = self._folder.read(link.piece, _COLUMNS).unify_dictionaries()
        if link.begin > link.piece.first:
            table = table.filter(pc.greater_equal(table["offset"], link.begin))
        return _counting(table)

    def _reached(self, piece: Piece) -> Reached:
        table = self._folder.read(piece, ("offset", "value"))
        row = table.slice(len(table) - 1).to_pylist()[0]
        return Reached(piece.last + 1, row["offset"], mark_of(row["value"]))


def _counting(table: pa.Table) -> Sorted:
    """Of the records that count and that admission remembers; in the order of the table."""
    kinds = _mapped(table["type"], _kind)
    counts = _mapped(table["verdict"], lambda verdict: int(verdict == "counts"))
    kept = np.flatnonzero((kinds != _NO_KIND) & (counts == 1))
    return _names(table, kept), packed(table["offset"].to_numpy()[kept], kinds[kept])


def _kind(wire: str) -> int:
    return KIND_OF.get(wire.rpartition(".v")[0], _NO_KIND)


def _mapped(column: pa.ChunkedArray, value: Callable[[str], int]) -> Ints:
    """A number for each row by its text, of which there are few; of none `_NO_KIND`."""
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    numbers = np.array([*map(value, whole.dictionary.to_pylist()), _NO_KIND], np.int64)
    held: Ints = numbers[pc.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False)]
    return held


def _names(table: pa.Table, kept: Ints) -> Ints:
    """The digest of each transaction id; it stands where features fold the record, and beside
    another one of the same transaction otherwise."""
    subjects = table["subject"].combine_chunks().dictionary_encode()
    numbers = pc.fill_null(subjects.indices, -1).to_numpy(zero_copy_only=False)[kept]
    digests = pc.fill_null(table["transaction_digest"], 0).to_numpy()[kept]
    given = pc.is_valid(table["transaction_digest"]).to_numpy()[kept]
    names = np.zeros(len(subjects.dictionary), np.int64)
    names[numbers[given]] = digests[given]
    left = np.ones(len(names), bool)
    left[numbers[given]] = False
    alone = np.unique(numbers[left[numbers]])
    texts = subjects.dictionary.take(pa.array(alone)).to_pylist()
    names[alone] = [name_of(text) for text in texts]
    held: Ints = names[numbers]
    return held
