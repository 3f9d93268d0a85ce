"""The payload that cleans to a given transaction: the inverse of cleaning."""

from typing import Any

from domain.money import to_major
from domain.times import to_rfc3339
from domain.transactions import Transaction

_AS_THEY_ARE = (
    "card_id", "customer_id", "merchant_id", "mcc", "device_id", "ip", "country", "lat", "lon",
    "channel",
)  # fmt: skip


def as_payload(transaction: Transaction) -> dict[str, Any]:
    """Canonical fields alone, those without a value left out; the amount as decimal text."""
    payload: dict[str, Any] = {
        "transaction_id": transaction.transaction_id,
        "timestamp": to_rfc3339(transaction.timestamp),
        "amount": format(to_major(transaction.amount, transaction.currency), "f"),
        "currency": transaction.currency,
    }
    for name in _AS_THEY_ARE:
        value = getattr(transaction, name)
        if value is not None:
            payload[name] = value
    if transaction.attributes:
        payload["attributes"] = transaction.attributes
    return payload
