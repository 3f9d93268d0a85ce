"""What the readers of one text file share: batches, progress, and damage told at the end."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from commands.imports.readers.files.content import InputFile
from commands.imports.readers.rows import Batch, Row, batched


class FileRows(ABC):
    """All of RowSource but its `columns` and its `kind`."""

    def __init__(self, file: InputFile) -> None:
        self._file, self.part = file, file.name
        self._read = 0

    @abstractmethod
    def _batches(self) -> Iterator[Batch]:
        """Of (line, row), malformed rows among them."""

    def batches(self) -> Iterator[Batch]:
        for batch in self._batches():
            self._read += len(batch)
            yield batch
        self._file.raise_damage(self._read)

    def fraction(self) -> float:
        return self._file.fraction()

    def close(self) -> None:
        self._file.close()


class RowByRow(FileRows):
    """Of a file that is read one row after the other."""

    @abstractmethod
    def _rows(self) -> Iterator[tuple[int, Row]]:
        """(line, row), malformed rows among them."""

    def _batches(self) -> Iterator[Batch]:
        return batched(self._rows())
