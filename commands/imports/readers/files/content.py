"""Content of an input file, unpacked, with how much of it has been read and whether it is whole."""

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from commands.imports.readers.files.kinds import foreign_kind
from domain.errors import InvalidInputError

_BUFFER = 1 << 18
_DEEPEST = 3
_DAMAGE = (
    EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError,
    RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One file to read: on disk, or inside an archive. `open` starts at its first byte."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
    path: Path | None = None


class InputFile:
    """`content` is unpacked where gzip, zstd, bzip2, xz or LZ4 packed it, whatever its name.

    Where an archive is damaged, `content` ends there and `damage` says so.
    """

    def __init__(self, part: Part) -> None:
        self.name, self._part = part.name, part
        self._opened: list[Any] = []
        self._unfinished: str | None = None
        self.rewind()

    @property
    def path(self) -> Path | None:
        """The file on disk, where it is not packed."""
        return None if self.packing else self._part.path

    @property
    def damage(self) -> str | None:
        return next((each.damage for each in self._layers if each.damage), self._unfinished)

    def tell_unfinished(self, what: str) -> None:
        """By its reader, where the content ends too early."""
        self._unfinished = f"is {what} that is cut off"

    def rewind(self) -> None:
        self.close()
        self._unfinished = None
        self.packing: tuple[str, ...] = ()
        self._raw = self._part.open()
        self._layers = [_Tolerant(self._raw, None)]
        self._opened = [self._raw]
        self.content = io.BufferedReader(self._layers[0], _BUFFER)
        for _ in range(_DEEPEST):
            packing = next((each for each in _PACKINGS if each[1](self.head(16))), None)
            if packing is None:
                break
            self.packing += (packing[0],)
            unpacked = packing[2](self.content)
            self._layers.append(_Tolerant(unpacked, packing[0]))
            self._opened.append(unpacked)
            self.content = io.BufferedReader(self._layers[-1], _BUFFER)

    def head(self, size: int) -> bytes:
        """At least that many first bytes where the file has them; nothing is taken."""
        return self.content.peek(size)[:size] if size <= 512 else self._long_head(size)

    def fraction(self) -> float:
        return min(1.0, self._raw.tell() / max(self._part.size, 1))

    def raise_damage(self, read: int) -> None:
        """Raises InvalidInputError where the file ended in damage; `read` are the rows before."""
        if self.damage:
            raise InvalidInputError(
                "FILE",
                f"{self.name} {self.damage} after {read:,} rows, which were read: get the whole "
                "file and run the command again, nothing is added twice",
            )

    def spooled(self) -> BinaryIO:
        """The whole content in an unnamed file, for formats that are read from their end."""
        spool = tempfile.TemporaryFile(prefix="retrace-unpacked-")  # noqa: SIM115
        while block := self.content.read1(_BUFFER):
            spool.write(block)
        spool.seek(0)
        self._opened.append(spool)
        return cast(BinaryIO, spool)

    def close(self) -> None:
        for each in reversed(self._opened):
            each.close()
        self._opened = []

    def _long_head(self, size: int) -> bytes:
        head = bytearray()
        while len(head) < size and (block := self.content.read1(size - len(head))):
            head += block
        self.rewind()
        return bytes(head)


class _Tolerant(io.RawIOBase):
    """Ends where its source is damaged, and says how; `packing` None is the file itself."""

    def __init__(self, source: Any, packing: str | None) -> None:
        self._source, self._packing = source, packing
        self._read = getattr(source, "read1", source.read)
        self.damage: str | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if self.damage:
            return 0
        try:
            data = self._read(len(into))
        except _DAMAGE as error:
            self.damage = self._told(error)
            return 0
        into[: len(data)] = data
        return len(data)

    def _told(self, error: Exception) -> str:
        if self._packing is None:
            return f"cannot be read further ({error})"
        cut = isinstance(error, EOFError) or "truncated" in str(error).lower()
        return f"is {self._packing} data that is {'cut off' if cut else 'damaged'}"


def _arrow_stream(codec: str) -> Callable[[BinaryIO], Any]:
    def unpack(content: BinaryIO) -> Any:
        import pyarrow as pa

        return _SmallReads(pa.CompressedInputStream(pa.PythonFile(content, mode="r"), codec))

    return unpack


class _SmallReads:
    """A read that meets damage loses its whole block: small ones lose little."""

    _BLOCK = 4096

    def __init__(self, stream: Any) -> None:
        self._stream, self.close = stream, stream.close

    def read1(self, size: int) -> bytes:
        return cast(bytes, self._stream.read(min(size, self._BLOCK)))

    read = read1


_PACKINGS: tuple[tuple[str, Callable[[bytes], bool], Callable[[Any], Any]], ...] = (
    ("gzip", lambda head: head[:3] == b"\x1f\x8b\x08", lambda raw: gzip.GzipFile(fileobj=raw)),
    ("zstd", lambda head: head[:4] == b"\x28\xb5\x2f\xfd", _arrow_stream("zstd")),
    ("bzip2", lambda head: head[:3] == b"BZh" and head[4:10] == b"1AY&SY", bz2.BZ2File),
    ("xz", lambda head: head[:6] == b"\xfd7zXZ\0", lzma.LZMAFile),
    ("LZ4", lambda head: head[:4] == b"\x04\x22\x4d\x18", _arrow_stream("lz4")),
)


def refuse_foreign(file: InputFile) -> bytes:
    """The first bytes. Raises InvalidInputError naming what is no table, and an empty file."""
    head = file.head(512)
    if not head.strip() and file.damage:
        raise InvalidInputError("FILE", f"{file.name} {file.damage} before its first row")
    foreign = foreign_kind(head)
    if foreign is None and head[:4] == b"PK\x03\x04":
        foreign = "is a zip archive inside another archive: unpack it first"
    if foreign:
        raise InvalidInputError("FILE", f"{file.name} {foreign}")
    return head
