"""Port of the readers of files: rows in batches, malformed ones among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A row that cannot be read as columns with values. `original` is as found, maybe shortened."""

    reason: str
    original: str


Row = dict[str, Any] | MalformedRow


class RowSource(Protocol):
    """One pass over a file in its order, in bounded memory. A broken row is yielded, not raised."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the file's order; of NDJSON, those of its first thousand lines."""
        ...

    def batches(self) -> Iterator[list[tuple[int, Row]]]:
        """(line, row). A line is counted from 1, of Parquet it is the row's number."""
        ...

    def fraction(self) -> float:
        """How much of the file has been read, 0 to 1."""
        ...

    def close(self) -> None: ...
