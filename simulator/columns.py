"""Transactions as parallel arrays of numbers.

Everything is a number: entities are indices into the world, the customer is ``card // 2``, the
currency follows from the country, the MCC from the merchant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NO_DEVICE = -1
NO_IP = 0

CHANNELS = ("pos", "ecom", "moto", "contactless", "atm")
POS, ECOM, MOTO, CONTACTLESS, ATM = range(len(CHANNELS))

CARDS_PER_CUSTOMER = 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Transactions as parallel arrays of one length."""

    timestamp: Ints  # microseconds since the epoch, UTC
    amount: Ints  # minor units
    country: Ints
    card: Ints
    merchant: Ints
    device: Ints  # NO_DEVICE where there is none
    ip: Ints  # IPv4 as a number, NO_IP where there is none
    lat: Floats
    lon: Floats
    channel: Ints
    kind: Ints  # 0 genuine, otherwise 1 + index into the table of fraud kinds

    def __len__(self) -> int:
        return len(self.timestamp)

    @property
    def customer(self) -> Ints:
        return self.card // CARDS_PER_CUSTOMER

    def take(self, rows: Ints | Bools | slice) -> "Columns":
        return Columns(**{name: getattr(self, name)[rows] for name in _NAMES})

    def between(self, start_us: int, end_us: int) -> "Columns":
        return self.take((self.timestamp >= start_us) & (self.timestamp < end_us))

    def in_time_order(self) -> "Columns":
        return self.take(np.argsort(self.timestamp, kind="stable"))


_NAMES = tuple(field.name for field in fields(Columns))
_DTYPES: dict[str, Any] = {
    name: np.float64 if name in ("lat", "lon") else np.int64 for name in _NAMES
}


def concatenated(parts: Sequence[Columns]) -> Columns:
    if not parts:
        return Columns(**{name: np.empty(0, _DTYPES[name]) for name in _NAMES})
    return Columns(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES}
    )
