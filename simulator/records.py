"""Records of the simulator: a transaction and a label."""

from dataclasses import dataclass
from typing import Literal

LabelKind = Literal["fraud_report", "chargeback", "representment", "reversal", "genuine"]


@dataclass(frozen=True, slots=True)
class SimulatedTransaction:
    """The canonical fields, and the truth about them, which is never sent."""

    transaction_id: str
    timestamp: int  # microseconds since the epoch, UTC
    amount: int  # minor units of the currency
    currency: str
    card_id: str
    customer_id: str
    merchant_id: str
    mcc: str
    device_id: str | None
    ip: str | None
    country: str  # of the terminal, or of the IP address of a remote payment
    lat: float
    lon: float
    channel: str
    attributes: dict[str, str]
    fraud: bool
    fraud_kind: str | None


@dataclass(frozen=True, slots=True)
class SimulatedLabel:
    """What a reporter says of a transaction, known at ``known_at`` (microseconds, UTC)."""

    transaction_id: str
    known_at: int
    kind: LabelKind
    value: int  # 1 fraud, 0 confirmed genuine
    reference: str
