"""Fields of past transactions as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.features import Entity
from domain.features.entities import FIELDS, PAYER_FIELDS
from domain.transactions import Transaction
from eventlog.codec import Unarchived
from projections.replay.rules import Bools, Column

TEXTS = (
    *("currency", "card_id", "card_bin", "card_last4", "customer_id", "merchant_id", "mcc"),
    *("device_id", "ip", "country", "channel"),
)
ARCHIVED_TEXTS = (
    "card_id", "customer_id", "merchant_id", "device_id", "ip", "country", "channel",
)  # fmt: skip
"""Those of `TEXTS` that are columns of the archive (eventlog.archive.layout.FOLDED)."""
NUMBERS: Mapping[str, Any] = {
    "amount": np.int64, "base_amount": np.int64, "lat": np.float64, "lon": np.float64
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Texts:
    """`codes` [rows] number the `values`, -1 for none."""

    codes: NDArray[np.int64]
    values: Sequence[str]

    def column(self, rows: Any = slice(None)) -> Column:
        """The texts themselves; equal ones are one object."""
        codes = self.codes[rows]
        return Column(np.array([*self.values, ""], dtype=object)[codes], codes >= 0)


@dataclass(frozen=True, slots=True)
class PastTransactions:
    """`texts` by field or `attributes.<name>`, `numbers` likewise, with one item per row."""

    texts: Mapping[str, Texts]
    numbers: Mapping[str, Column]

    def column(self, field: str, rows: Any = slice(None)) -> Column:
        """Of a field of the transaction."""
        if field in self.texts:
            return self.texts[field].column(rows)
        found = self.numbers[field]
        return Column(found.values[rows], found.known[rows])

    def names(self, entity: Entity, rows: Any = slice(None)) -> Bools:
        """Whether the transactions name that entity."""
        parts = [self._there(field, rows) for field in FIELDS[entity]]
        there: Bools = np.logical_and.reduce(parts)
        return there

    def _there(self, field: str, rows: Any) -> Bools:
        there: Bools
        if field == "payer_id":
            there = np.logical_or.reduce([self._there(name, rows) for name in PAYER_FIELDS])
        else:
            there = self.texts[field].codes[rows] >= 0
        return there


def fields_of(found: Sequence[Transaction], attributes: Sequence[str] = ()) -> pa.Table:
    """In the order of `found`: `TEXTS`, texts of attributes by their names, and `NUMBERS`, with
    the id of each. A blank attribute, and one that is no text, is none. Texts lie as dictionaries.
    """
    held = {name: _texts(getattr(x, name) for x in found) for name in ARCHIVED_TEXTS}
    held["transaction_id"] = pa.array([x.transaction_id for x in found], pa.string())
    held["base_amount"] = pa.array([x.base_amount for x in found], pa.int64())
    return _fields(held, found, attributes, [x.attributes for x in found] if attributes else ())


def archived_fields(
    held: pa.Table, found: Sequence[Unarchived], attributes: Sequence[str] = ()
) -> pa.Table:
    """As `fields_of`; `held` has the columns that the archive has of the same transactions."""
    names = ("transaction_id", "base_amount", *ARCHIVED_TEXTS)
    given = [msgspec.json.decode(x.attributes) for x in found] if attributes else ()
    return _fields({name: held[name] for name in names}, found, attributes, given)


def _fields(
    columns: dict[str, Any],
    found: Sequence[Any],
    attributes: Sequence[str],
    given: Sequence[Mapping[str, Any]],
) -> pa.Table:
    for name in TEXTS:
        if name not in columns:
            columns[name] = _texts(getattr(x, name) for x in found)
    for name in attributes:
        texts = (each.get(name) for each in given)
        kept = (text if isinstance(text, str) and text.strip() else None for text in texts)
        columns[attribute(name)] = _texts(kept)
    for name, kind in NUMBERS.items():
        if name not in columns:
            items = [getattr(x, name) for x in found]
            columns[name] = pa.array(items, pa.from_numpy_dtype(kind))
    # Tables of one schema can be put behind each other.
    return pa.table({name: columns[name] for name in sorted(columns)})


def _texts(texts: Iterable[str | None]) -> pa.DictionaryArray:
    return pa.array(list(texts), pa.string()).dictionary_encode()


def attribute(name: str) -> str:
    """The column of an attribute's texts."""
    return f"attributes.{name}"
