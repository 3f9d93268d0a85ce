"""Fields of past transactions as columns, in the order of a replayed data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.features import Entity
from domain.features.entities import FIELDS, PAYER_FIELDS
from domain.transactions import Transaction
from projections.replay.dataset import Dataset
from projections.replay.rules import Bools, Column

TEXTS = (
    *("currency", "card_id", "card_bin", "card_last4", "customer_id", "merchant_id", "mcc"),
    *("device_id", "ip", "country", "channel"),
)
_NUMBERS: Mapping[str, Any] = {
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


def past_transactions(
    found: Iterable[Transaction], made: Dataset, attributes: Iterable[str] = ()
) -> PastTransactions:
    """`found` holds each transaction of `made`, in any order; texts of `attributes` are kept too.

    Raises ValueError where one is lacking.
    """
    asked = {name: number for number, name in enumerate(TEXTS)}
    kept = tuple(attributes)
    places = _places(made)
    at: list[int] = []
    coded: list[list[int]] = [[] for _ in (*TEXTS, *kept)]
    known: list[dict[str, int]] = [{} for _ in coded]
    numbers: dict[str, list[Any]] = {name: [] for name in _NUMBERS}
    for x in found:
        row = places.get(x.transaction_id, -1)
        if row < 0 or made.times[row] != x.timestamp:
            row = places.get((x.transaction_id, x.timestamp), -1)
            if row < 0:
                continue
        at.append(row)
        for name, number in asked.items():
            value = getattr(x, name)
            codes = known[number]
            coded[number].append(-1 if value is None else codes.setdefault(value, len(codes)))
        for number, name in enumerate(kept, len(asked)):
            value = x.attributes.get(name)
            codes = known[number]
            if isinstance(value, str) and value.strip():
                coded[number].append(codes.setdefault(value, len(codes)))
            else:
                coded[number].append(-1)
        for name, values in numbers.items():
            values.append(getattr(x, name))
    if len(at) != len(made):
        raise ValueError(f"{len(made) - len(at)} transactions of the replay were not found")
    order = np.empty(len(at), dtype=np.int64)
    order[at] = np.arange(len(at))
    names = [*TEXTS, *(f"attributes.{name}" for name in kept)]
    texts = {
        name: Texts(np.array(codes, dtype=np.int64)[order], list(values))
        for name, codes, values in zip(names, coded, known, strict=True)
    }
    return PastTransactions(
        texts, {name: _column(values, _NUMBERS[name], order) for name, values in numbers.items()}
    )


def _places(made: Dataset) -> dict[Any, int]:
    """Rows by id, and by (id, time) of ids that were used again."""
    places: dict[Any, int] = {}
    for row, name in enumerate(made.transaction_ids.tolist()):
        if places.setdefault(name, row) != row:
            places[name, int(made.times[row])] = row
    return places


def _column(values: list[Any], kind: Any, order: NDArray[np.int64]) -> Column:
    known = np.array([value is not None for value in values], dtype=bool)
    filled = np.array([0 if value is None else value for value in values], dtype=kind)
    return Column(filled[order], known[order])
