"""Input files, unpacked where they are gzipped, with how much of them has been read."""

import gzip
import io
from pathlib import Path
from typing import BinaryIO

_GZIP = b"\x1f\x8b"


class CountedFile:
    """The content of a file, unpacked where gzip packed it, with how far one has come."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("rb")
        self._size = max(path.stat().st_size, 1)
        packed = self._raw.read(2) == _GZIP
        self._raw.seek(0)
        content = gzip.GzipFile(fileobj=self._raw) if packed else self._raw
        self.content: BinaryIO = io.BufferedReader(content, 1 << 20)

    def head(self, size: int) -> bytes:
        """The first bytes; the file is at its beginning again afterwards."""
        head = self.content.read(size)
        self.content.seek(0)
        return head

    def fraction(self) -> float:
        return min(1.0, self._raw.tell() / self._size)

    def close(self) -> None:
        self.content.close()
        self._raw.close()
