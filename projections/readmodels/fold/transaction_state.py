"""Transaction state: what is known of one transaction id, and what it adds to the daily figures."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.times import DAY
from projections.readmodels.storage.tables import FIGURES

Figures = tuple[int, ...]
DayKey = tuple[int, str]
"""(days since 1970-01-01 UTC, entity id)"""


@dataclass(frozen=True, slots=True)
class Origin:
    """The part of the origin that figures and the first-wins rule need."""

    known_time: int
    timestamp: int
    base_amount: int
    merchant_id: str | None
    customer_id: str | None


@dataclass(slots=True)
class TransactionState:
    """`labels` by event id: (offset, value); the last in the log's order is the current one.
    `stepped_up` where its step-up has a result."""

    origin: Origin | None = None
    outcome: str | None = None
    stepped_up: bool = False
    labels: dict[str, tuple[int, int]] = field(default_factory=dict)

    def figures(self) -> Figures:
        """In the order of tables.FIGURES; those left out at the end are zero."""
        if self.origin is None:
            return ()
        amount = self.origin.base_amount
        outcome = self.outcome
        if outcome is None and not self.labels:
            return (1, amount)
        label = max(self.labels.values())[1] if self.labels else None
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


Contribution = tuple[Origin | None, Figures]


def contribution(state: TransactionState) -> Contribution:
    """What a state adds to the daily figures now; later changes of the state leave it as it is."""
    return state.origin, state.figures()


def differences(
    entity: str, before: Iterable[Contribution], after: Iterable[Contribution]
) -> dict[DayKey, Figures]:
    """Per day and `entity` ("merchant" or "customer") what to add; without entries of zeros."""
    sums: dict[DayKey, list[int]] = {}
    by_merchant = entity == "merchant"
    for contributions, sign in ((before, -1), (after, 1)):
        for origin, figures in contributions:
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
