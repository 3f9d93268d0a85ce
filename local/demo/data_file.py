"""The file of `--data`: its first rows are history, its last rows are live traffic."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from commands.imports.readers.files.parts import STDIN
from commands.imports.readers.rows import MalformedRow, Row
from commands.imports.row_cleaner import RowCleaner
from commands.intake.cleaner import PayloadCleaner
from domain.cleaning.payload import as_payload
from domain.errors import InvalidInputError, InvalidTransactionError
from local.demo.live.events import LiveTransaction
from operations.log.imports import ImportOptions, OpenedImport, opened_import


@dataclass(frozen=True, slots=True)
class DataFile:
    """`history` is how many rows are imported; `live` are the rows after them, as they are sent,
    with their label as the truth. `labelled` tells whether the file has a column of labels."""

    options: ImportOptions
    history: int
    live: list[tuple[dict[str, Any], bool | None]]
    labelled: bool

    @property
    def identity(self) -> str:
        """Changes with the file, and with the number of history rows."""
        path = self.options.file
        found = path.stat()
        return f"{path.absolute()} {found.st_size} {found.st_mtime_ns} {self.history}"

    def traffic(self, id_prefix: str) -> Iterator[LiveTransaction]:
        """The rows after the history, under new ids."""
        for payload, fraud in self.live:
            transaction_id = f"{id_prefix}{payload['transaction_id']}"
            body = orjson.dumps({**payload, "transaction_id": transaction_id})
            yield LiveTransaction(transaction_id, body, fraud)


def read_data(options: ImportOptions, live: int, cleaner: PayloadCleaner, now: int) -> DataFile:
    """Reads the file once; its last `live` rows are the traffic, but for those that are refused.

    Raises InvalidInputError.
    """
    if options.file == STDIN:
        raise InvalidInputError("--data", "name a file: it is read twice")
    last: deque[tuple[int, Row]] = deque(maxlen=live)
    rows = 0
    with opened_import(options) as opened:
        for batch in opened.rows.batches():
            rows += len(batch)
            last.extend(islice(batch, max(0, len(batch) - live), None))
        if rows <= 2 * live:
            raise InvalidInputError(
                "--data",
                f"{options.file} has {rows:,} rows; the last {live:,} of them would be the live "
                "traffic (--seconds times --rate), and too few would be left for the history",
            )
        sent = list(_sent(opened, last, cleaner, now))
    return DataFile(options, rows - live, sent, opened.command.binding.label is not None)


def _sent(
    opened: OpenedImport, rows: deque[tuple[int, Row]], cleaner: PayloadCleaner, now: int
) -> Iterator[tuple[dict[str, Any], bool | None]]:
    """Requests that mean what the mapping makes of the rows; a card number stays one."""
    binding = opened.command.binding
    clean = RowCleaner(binding, cleaner, opened.command.again).clean
    for line, row in rows:
        if isinstance(row, MalformedRow):
            continue
        try:
            payload = binding.payload(row, line)
            taken = clean(payload, now)
            label = binding.label_of(row)
        except (InvalidTransactionError, ValueError):
            continue
        card = {"card_id": str(payload["card_id"])} if taken.card_bin else {}
        yield as_payload(taken) | card, None if label is None else label == 1


def ingest_arguments(options: ImportOptions, limit: int) -> list[str]:
    """Of the command that imports the first `limit` rows in the same way, from any folder."""
    found = ["ingest", str(options.file.absolute()), "--limit", str(limit)]
    for entry in options.mapping:
        found += ["--map", entry]
    if (mapping := options.mapping_file) is not None:
        path = Path(mapping)
        found += ["--mapping", str(path.absolute()) if path.is_file() else mapping]
    for option, given in (("--label", options.label), ("--encoding", options.encoding)):
        if given is not None:
            found += [option, given]
    return [*found, "--label-delay", options.label_delay]
