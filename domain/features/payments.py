"""Payments of a training set: what a model is measured by, beside its features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.features.kernel.arrays import Ints
from domain.times import DAY

MATURITIES = tuple(days * DAY for days in (7, 30, 60, 90))
"""Microseconds after a payment, as known at which its label is asked for."""
UNLABELLED = -1
"""Stands beside 1 (fraud) and 0 (confirmed genuine)."""


@dataclass(frozen=True, slots=True)
class Payments:
    """One item per payment; no model learns from them.

    `holders` [n] tell cards apart, or customers where no card is named, 0 where neither is;
    `amounts` [n] in minor units of the base currency; `declined` [n], False also where nothing was
    decided; `matured` [n, maturities] the label as known that long after the payment: 1, 0 or
    UNLABELLED.
    """

    holders: Ints
    amounts: Ints
    declined: npt.NDArray[np.bool_]
    matured: npt.NDArray[np.int8]

    def take(self, rows: Any) -> Payments:
        """`rows` are numbers, a slice, or a bool for each."""
        return Payments(
            self.holders[rows], self.amounts[rows], self.declined[rows], self.matured[rows]
        )
