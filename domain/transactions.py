"""The cleaned transaction, as every event, feature and decision carries it."""

from dataclasses import field
from typing import Any

from domain.records import record

CHANNELS = ("pos", "contactless", "ecom", "moto", "atm", "transfer", "other")


@record(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One payment attempt after cleaning.

    `timestamp` is event time in microseconds UTC; `amount` is in minor units of `currency`
    (0 to 10^12) and `base_amount` the same money in minor units of the base currency, at the rate
    of its day. `card_id` is an opaque id or a token, never a card number. `attributes` are kept
    and shown, and never become features.
    """

    transaction_id: str
    timestamp: int
    amount: int
    currency: str
    base_amount: int
    card_id: str | None = None
    card_bin: str | None = None
    card_last4: str | None = None
    customer_id: str | None = None
    merchant_id: str | None = None
    mcc: str | None = None
    device_id: str | None = None
    ip: str | None = None
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    channel: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
