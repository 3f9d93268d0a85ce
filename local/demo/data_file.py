"""The file of `--data`: its first rows are history, its last rows are live traffic."""

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from commands.imports.mapping.binding import Binding, bind
from commands.imports.mapping.plain import plain_mapping
from commands.imports.readers.opening import open_rows
from commands.imports.readers.rows import MalformedRow
from domain.errors import InvalidInputError
from local.demo.live.events import LiveTransaction
from local.demo.plan import DemoRequest


@dataclass(frozen=True, slots=True)
class DataFile:
    """`history` is how many rows are imported; `live` are the rows after them."""

    path: Path
    history: int
    live: list[tuple[dict[str, Any], bool | None]]

    @property
    def identity(self) -> str:
        """Changes with the file, and with the number of history rows."""
        found = self.path.stat()
        return f"{self.path.absolute()} {found.st_size} {found.st_mtime_ns} {self.history}"

    def traffic(self, id_prefix: str) -> Iterator[LiveTransaction]:
        """The rows after the history, under new ids, with their label as the truth."""
        for payload, fraud in self.live:
            transaction_id = f"{id_prefix}{payload['transaction_id']}"
            body = orjson.dumps({**payload, "transaction_id": transaction_id}, default=str)
            yield LiveTransaction(transaction_id, body, fraud)


def read_data(path: Path, request: DemoRequest) -> DataFile:
    """Reads the file once. Raises InvalidInputError."""
    last: deque[tuple[dict[str, Any], bool | None]] = deque(maxlen=request.transactions)
    rows = 0
    with closing(open_rows(path)) as source:
        binding = bind(source.columns, plain_mapping(request.mapping, request.label))
        for batch in source.batches():
            rows += len(batch)
            for line, row in islice(batch, max(0, len(batch) - request.transactions), None):
                if not isinstance(row, MalformedRow):
                    last.append((binding.payload(row, line), _truth(binding, row)))
    if rows <= 2 * request.transactions:
        raise InvalidInputError(
            "--data",
            f"{path} has {rows:,} rows; the last {request.transactions:,} of them would be the "
            "live traffic (--seconds times --rate), and too few would be left for the history",
        )
    return DataFile(path, rows - request.transactions, list(last))


def _truth(binding: Binding, row: dict[str, Any]) -> bool | None:
    try:
        found = binding.label_of(row)
    except ValueError:
        return None
    return None if found is None else found == 1
