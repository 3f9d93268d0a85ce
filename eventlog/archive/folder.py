"""Files of one topic's archive: listing, reading, adding and removing them.

A file appears whole or not at all. Two writers (a slow one that was replaced) may leave files that
overlap; the content of each is right, and `chain` reads each offset once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from domain.errors import IntegrityError, NotFoundError, SettingsError, UnavailableError
from eventlog.archive.layout import DRAFT, Piece, folder_of, is_draft
from eventlog.topics import Topic
from host.files import remove_abandoned, whole_file
from host.storage_errors import explained

Read = TypeVar("Read")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Link:
    """A piece, and the first of its offsets that is to be read from it."""

    piece: Piece
    begin: int


class ArchiveFolder:
    """`url` is a folder, `file:///...`, or `s3://bucket/prefix?endpoint_override=...&region=...`."""

    def __init__(self, url: str, topic: Topic) -> None:
        self.url = url
        try:
            if "://" in url:
                self._files, root = fs.FileSystem.from_uri(url)
            else:
                self._files, root = fs.LocalFileSystem(), url
        except (OSError, ValueError, pa.ArrowException) as error:
            raise SettingsError(
                f"RETRACE_ARCHIVE_URL: {url!r} cannot be opened: {error}"
            ) from error
        self.topic = topic
        self._root = f"{root.rstrip('/')}/{topic.name}"
        self._local = isinstance(self._files, fs.LocalFileSystem)

    @property
    def place(self) -> str:
        """Where the topic's files lie, without the options of the URL."""
        return self._root

    def exists(self) -> bool:
        """False where nothing was ever written. Raises UnavailableError."""
        try:
            found = self._files.get_file_info(self._root)
        except (OSError, pa.ArrowException) as error:
            raise self._away("be found", "", error) from error
        return bool(found.type == fs.FileType.Directory)

    def pieces(self, partition: int | None = None) -> list[Piece]:
        """All that there are, or those of a partition. Raises UnavailableError, or IntegrityError
        for a foreign file."""
        return sorted(self.sizes(partition))

    def sizes(self, partition: int | None = None) -> dict[Piece, int]:
        """As `pieces`, with the bytes of each."""
        place = self._root if partition is None else f"{self._root}/{folder_of(partition)}"
        below = fs.FileSelector(place, recursive=True, allow_not_found=True)
        try:
            found = self._files.get_file_info(below)
        except (OSError, pa.ArrowException) as error:
            raise self._away("be listed", "", error) from error
        files = [info for info in found if info.type == fs.FileType.File]
        return {self._piece(info.path): info.size for info in files if not is_draft(info.path)}

    def _piece(self, path: str) -> Piece:
        piece = Piece.of(path)
        if piece is None:
            raise IntegrityError(
                f"{path} is no file of the archive: move it out of {self._root} "
                "(names there are partition=N/FIRST-LAST.parquet)"
            )
        return piece

    def add(self, piece: Piece, table: pa.Table) -> None:
        """Raises UnavailableError where the folder is full or away; then nothing was added."""
        # Made in memory first: S3 would keep an upload that ends half-way.
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", row_group_size=1 << 16)
        path = f"{self._root}/{piece.path}"
        try:
            if self._local:
                _write(Path(path), sink.getvalue())
                return
            with self._files.open_output_stream(path) as stream:
                stream.write(sink.getvalue())
        except (OSError, pa.ArrowException) as error:
            raise self._away("be written", piece.path, error) from error

    def sweep(self) -> None:
        """Removes the drafts of writers that died."""
        if not self._local:
            return
        try:
            remove_abandoned(Path(self._root), f"partition=*/*{DRAFT}")
        except OSError as error:
            raise self._away("be tidied", "", error) from error

    def read(self, piece: Piece, columns: Sequence[str]) -> pa.Table:
        """Raises IntegrityError for a foreign or damaged file, or UnavailableError."""
        return self._opened(piece, lambda source: _columns(source, columns))

    def blocks(self, piece: Piece, columns: Sequence[str]) -> Iterator[pa.Table]:
        """As `read`, by groups of at most 65,536 records, none of them held beyond its turn."""
        for group in range(self._opened(piece, _groups)):
            yield self._opened(piece, lambda source, n=group: _columns(source, columns, n))  # type: ignore[misc]

    def bounds(self, piece: Piece, column: str) -> tuple[int, int] | None:
        """(least, greatest) of a column of numbers, None where it is empty. Raises as `read`."""
        return self.all_bounds(piece, [column])[0]

    def all_bounds(self, piece: Piece, columns: Sequence[str]) -> list[tuple[int, int] | None]:
        """As `bounds`, of several columns with one look at the file."""

        def read(source: pa.NativeFile) -> list[tuple[int, int] | None]:
            file = pq.read_metadata(source)
            return [_bounds(file, column) for column in columns]

        return self._opened(piece, read)

    def _opened(self, piece: Piece, read: Callable[[pa.NativeFile], Read]) -> Read:
        path = f"{self._root}/{piece.path}"
        try:
            with self._files.open_input_file(path) as source:
                return read(source)
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise self._damaged(piece, error) from error
        except FileNotFoundError as error:
            raise NotFoundError("archive file", path) from error
        except OSError as error:
            # pyarrow raises OSError for damaged pages too, without an errno.
            if error.errno is None and self._local:
                raise self._damaged(piece, error) from error
            raise self._away("be read", piece.path, error) from error

    def read_through(
        self, partition: int, end: int, read: Callable[[Link], Found | None]
    ) -> Iterator[Found]:
        """What `read` makes of each piece of [0, end), in order, but for None.

        One that is gone by then was merged into another, which is read from there on.
        """
        at, before = 0, list[Piece]()
        while True:
            pieces = self.pieces(partition)
            try:
                for link in chain(pieces, at, end):
                    found = read(link)
                    at = link.piece.last + 1
                    if found is not None:
                        yield found
            except NotFoundError:
                if pieces == before:
                    raise
                before = pieces
            else:
                return

    def remove(self, piece: Piece) -> None:
        """For a piece whose offsets another one holds as well."""
        try:
            self._files.delete_file(f"{self._root}/{piece.path}")
        except FileNotFoundError:
            return
        except (OSError, pa.ArrowException) as error:
            raise self._away("be removed", piece.path, error) from error

    def _damaged(self, piece: Piece, error: Exception) -> IntegrityError:
        return IntegrityError(
            f"archive file {self._root}/{piece.path} cannot be read: {error}; restore it, or, if "
            f"the log still holds offsets {piece.first} to {piece.last} of partition "
            f"{piece.partition}, remove it, start the archive worker anew and they are archived "
            "again"
        )

    def _away(self, doing: str, path: str, error: Exception) -> UnavailableError:
        return UnavailableError("archive", explained(error, doing, f"{self._root}/{path}"))


def _write(path: Path, data: pa.Buffer) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, suffix=DRAFT) as draft:
        draft.write_bytes(memoryview(data))


def _groups(source: pa.NativeFile) -> int:
    return int(pq.read_metadata(source).num_row_groups)


def _columns(source: pa.NativeFile, columns: Sequence[str], group: int | None = None) -> pa.Table:
    """Without the machinery for many files of read_table, which takes longer than to read one."""
    held = pq.ParquetFile(source, pre_buffer=True)
    if missing := set(columns) - set(held.schema_arrow.names):
        raise pa.ArrowKeyError(f"it has no column {sorted(missing)[0]}")
    names = list(columns)
    found = held.read(names) if group is None else held.read_row_group(group, names)
    return found.select(names)


def _bounds(file: pq.FileMetaData, column: str) -> tuple[int, int] | None:
    """From the statistics at the end of the file: nothing else of it is read."""
    at = file.schema.names.index(column)
    groups = [file.row_group(group).column(at).statistics for group in range(file.num_row_groups)]
    held = [each for each in groups if each is not None and each.has_min_max]
    return (min(s.min for s in held), max(s.max for s in held)) if held else None


def positions(pieces: Sequence[Piece]) -> dict[int, int]:
    """Per partition that has files the offset after the last that can be read without a gap."""
    ends: dict[int, int] = {}
    for piece in sorted(pieces):
        end = ends.setdefault(piece.partition, 0)
        if piece.first <= end:
            ends[piece.partition] = max(end, piece.last + 1)
    return ends


def chain(pieces: Sequence[Piece], start: int, end: int) -> Iterator[Link]:
    """The pieces of one partition that hold [start, end), each offset once, in order.

    Raises IntegrityError at a gap; the first piece begins at 0, whatever the log held by then.
    """
    ordered = sorted(pieces, key=lambda piece: (piece.first, -piece.last))
    at = start
    for piece in ordered:
        if piece.last < at:
            continue
        if at >= end:
            return
        if piece.first > at:
            raise IntegrityError(
                f"the archive lacks offsets {at} to {piece.first - 1} of partition "
                f"{piece.partition}: {piece.path} follows a gap; remove it if the log still "
                "holds them, and they are archived again"
            )
        yield Link(piece, at)
        at = piece.last + 1
