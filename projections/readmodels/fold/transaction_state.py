"""Owns what is known of one transaction id and its share in the daily figures; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.times import DAY
from projections.readmodels.storage.tables import FIGURES

Figures = tuple[int, ...]
DayKey = tuple[int, str]
"""(days since 1970-01-01 UTC, entity id)"""


@dataclass(frozen=True, slots=True)
class Origin:
    """The part of the counting transaction that figures and the void rule need."""

    known_time: int
    timestamp: int
    base_amount: int
    merchant_id: str | None
    customer_id: str | None


@dataclass(slots=True)
class Standing:
    """`labels` by event id: (known time, offset, value); the greatest is the current one."""

    origin: Origin | None = None
    outcome: str | None = None
    labels: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def figures(self) -> Figures:
        """In the order of tables.FIGURES; those left out at the end are zero."""
        if self.origin is None:
            return ()
        amount = self.origin.base_amount
        outcome = self.outcome
        if outcome is None and not self.labels:
            return (1, amount)
        label = max(self.labels.values())[2] if self.labels else None
        return (
            1,
            amount,
            int(outcome == "approve"),
            int(outcome == "review"),
            int(outcome == "step_up"),
            int(outcome == "decline"),
            int(label == 1),
            amount if label == 1 else 0,
            int(label == 0),
        )


Share = tuple[Origin | None, Figures]


def share(standing: Standing) -> Share:
    """What a standing adds to the daily figures, kept apart from what it becomes later."""
    return standing.origin, standing.figures()


def differences(
    entity: str, before: Iterable[Share], after: Iterable[Share]
) -> dict[DayKey, Figures]:
    """Per day and `entity` ("merchant" or "customer") what to add; without entries of zeros."""
    sums: dict[DayKey, list[int]] = {}
    by_merchant = entity == "merchant"
    for shares, sign in ((before, -1), (after, 1)):
        for origin, figures in shares:
            if origin is None:
                continue
            key = origin.merchant_id if by_merchant else origin.customer_id
            if key is None:
                continue
            total = sums.setdefault((origin.timestamp // DAY, key), [0] * len(FIGURES))
            for index, figure in enumerate(figures):
                if figure:
                    total[index] += sign * figure
    return {key: tuple(total) for key, total in sums.items() if any(total)}
