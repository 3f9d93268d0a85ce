"""Owns the files of one topic's archive: which there are, which are read, how one is added.

A file appears whole or not at all. Two writers, one of them left behind, may leave files that
overlap; every one of them is true, and `chain` reads each offset once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from domain.errors import IntegrityError, NotFoundError, SettingsError, UnavailableError
from eventlog.archive.layout import Piece
from eventlog.topics import Topic

_DRAFT = ".part"


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

    def pieces(self) -> list[Piece]:
        """All files that there are. Raises UnavailableError."""
        below = fs.FileSelector(self._root, recursive=True, allow_not_found=True)
        try:
            found = self._files.get_file_info(below)
        except OSError as error:
            raise self._away("listing", error) from error
        return sorted(
            piece
            for info in found
            if info.type == fs.FileType.File and (piece := Piece.of(info.path)) is not None
        )

    def add(self, piece: Piece, table: pa.Table) -> None:
        """Raises UnavailableError where the folder is full or away; then nothing was added."""
        path = f"{self._root}/{piece.path}"
        draft = path + _DRAFT if self._local else path
        try:
            if self._local:
                self._files.create_dir(path.rpartition("/")[0], recursive=True)
            # An object appears when its upload is complete; a file when it is moved.
            with self._files.open_output_stream(draft) as stream:
                pq.write_table(table, stream, compression="zstd", row_group_size=1 << 16)
            if self._local:
                self._files.move(draft, path)
        except OSError as error:
            raise self._away("writing " + piece.path, error) from error

    def read(self, piece: Piece, columns: Sequence[str]) -> pa.Table:
        """Raises IntegrityError for a file that is none of ours or damaged, or UnavailableError."""
        path = f"{self._root}/{piece.path}"
        try:
            with self._files.open_input_file(path) as source:
                return pq.read_table(source, columns=list(columns))
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise IntegrityError(
                f"archive file {path} cannot be read: {error}; if the log still holds offsets "
                f"{piece.first} to {piece.last} of partition {piece.partition}, remove the file "
                "and they are archived again"
            ) from error
        except FileNotFoundError as error:
            raise NotFoundError("archive file", path) from error
        except OSError as error:
            raise self._away("reading " + piece.path, error) from error

    def remove(self, piece: Piece) -> None:
        """For a piece whose offsets another one holds as well."""
        try:
            self._files.delete_file(f"{self._root}/{piece.path}")
        except OSError as error:
            raise self._away("removing " + piece.path, error) from error

    def _away(self, doing: str, error: OSError) -> UnavailableError:
        return UnavailableError("archive", f"{doing} in {self.url}: {error}")


def positions(pieces: Sequence[Piece]) -> dict[int, int]:
    """Per partition that has files the offset after the last that can be read without a hole."""
    ends: dict[int, int] = {}
    for piece in sorted(pieces):
        end = ends.setdefault(piece.partition, piece.first)
        if piece.first <= end:
            ends[piece.partition] = max(end, piece.last + 1)
    return ends


def chain(pieces: Sequence[Piece], start: int, end: int) -> Iterator[Link]:
    """The pieces of one partition that hold [start, end), each offset once, in order.

    What lies before the first piece is passed over. Raises IntegrityError at a hole.
    """
    ordered = sorted(pieces, key=lambda piece: (piece.first, -piece.last))
    if not ordered:
        return
    at = max(start, ordered[0].first)
    for piece in ordered:
        if piece.last < at:
            continue
        if at >= end:
            return
        if piece.first > at:
            raise IntegrityError(
                f"the archive lacks offsets {at} to {piece.first - 1} of partition "
                f"{piece.partition}: {piece.path} follows a hole; remove it if the log still "
                "holds them, and they are archived again"
            )
        yield Link(piece, at)
        at = piece.last + 1
