"""Fields of past transactions as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.features import Entity
from domain.features.entities import FIELDS, PAYER_FIELDS
from domain.transactions import Transaction
from projections.replay.rules import Bools, Column

TEXTS = (
    *("currency", "card_id", "card_bin", "card_last4", "customer_id", "merchant_id", "mcc"),
    *("device_id", "ip", "country", "channel"),
)
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
    the id of each. A blank attribute, and one that is no text, is none."""
    columns = {"transaction_id": pa.array([x.transaction_id for x in found], pa.string())}
    for name in TEXTS:
        columns[name] = pa.array([getattr(x, name) for x in found], pa.string())
    for name in attributes:
        texts = (x.attributes.get(name) for x in found)
        kept = [text if isinstance(text, str) and text.strip() else None for text in texts]
        columns[attribute(name)] = pa.array(kept, pa.string())
    for name, kind in NUMBERS.items():
        columns[name] = pa.array([getattr(x, name) for x in found], pa.from_numpy_dtype(kind))
    return pa.table(columns)


def attribute(name: str) -> str:
    """The column of an attribute's texts."""
    return f"attributes.{name}"
