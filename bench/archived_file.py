"""A file of payments as an archive: as imported history, with labels a week after each payment."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.events import (
    Envelope,
    TransactionImported,
    TransactionLabelled,
    label_event_id,
    transaction_event_id,
)
from domain.times import DAY
from domain.transactions import Transaction
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.layout import Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import encode
from eventlog.topics import TRANSACTIONS

AT_ONCE = 50_000


def archive(file: Path, columns: dict[str, str], label: str, url: str) -> tuple[int, int]:
    """By known time, as an import leaves it; returns how many records half of the time of all
    payments has, and how many there are."""
    folder = ArchiveFolder(url, TRANSACTIONS)
    table = pq.read_table(file, columns=sorted({*columns.values(), label}))
    times = np.asarray(table[columns["timestamp"]].cast(pa.timestamp("us")).cast(pa.int64()))
    known = np.concatenate([times, times + 7 * DAY])
    order = np.argsort(known, kind="stable")
    row = _rows(table, columns, label, times)
    edges = [*range(0, len(order), AT_ONCE), len(order)]
    for begin, end in pairwise(edges):
        records = []
        for offset, at in enumerate(order[begin:end].tolist(), begin):
            made = row(at % len(times), at >= len(times))
            records.append(ArchivedRecord(offset, None, encode(made), "counts", made))
        folder.add(Piece(0, begin, end - 1), table_of(records))
    half = np.searchsorted(known[order], (times.min() + times.max()) // 2)
    return int(half), len(order)


def _rows(
    table: Any, columns: dict[str, str], label: str, times: Any
) -> Callable[[int, bool], Envelope]:
    ids, customers, merchants = (
        [str(value) for value in table[columns[name]].to_pylist()]
        for name in ("transaction_id", "customer_id", "merchant_id")
    )
    named = table[columns["card_id"]].to_pylist() if "card_id" in columns else None
    cards = [None] * len(ids) if named is None else [str(value) for value in named]
    amounts = [round(float(value) * 100) for value in table[columns["amount"]].to_pylist()]
    labels = table[label].to_pylist()

    def row(n: int, is_label: bool) -> Envelope:
        at = int(times[n])
        paid = Transaction(
            transaction_id=ids[n], timestamp=at, amount=amounts[n], currency="USD",
            base_amount=amounts[n], card_id=cards[n], customer_id=customers[n],
            merchant_id=merchants[n],
        )  # fmt: skip
        data: Any = TransactionImported(transaction=paid, digest="d", origin=file_name, line=n)
        known, name = at, transaction_event_id(TransactionImported, ids[n])
        if is_label:
            kind: Any = "fraud_report" if labels[n] else "genuine"
            data = TransactionLabelled.of(
                paid, value=int(labels[n]), kind=kind, reporter="file", reference="1"
            )
            known, name = at + 7 * DAY, label_event_id(TransactionLabelled, ids[n], "file", "1")
        return Envelope(
            id=name, source="bench", subject=ids[n], time=at, known_time=known, data=data,
            correlation_id=name,
        )  # fmt: skip

    file_name = "file"
    return row
