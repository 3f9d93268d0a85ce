"""Request bodies of simulated records for the HTTP API, without the truth."""

from typing import Any

from domain.times import to_rfc3339
from simulator.population.currencies import CURRENCIES
from simulator.records import SimulatedLabel, SimulatedTransaction

REPORTER = "simulator"


def to_submission(tx: SimulatedTransaction) -> dict[str, Any]:
    """Canonical fields alone, those without a value left out; the amount in major units.

    A float is the double nearest to the decimal amount, so JSON shows exactly that amount.
    """
    exponent = CURRENCIES[tx.currency].exponent
    body: dict[str, Any] = {
        "transaction_id": tx.transaction_id,
        "timestamp": to_rfc3339(tx.timestamp),
        "amount": tx.amount / 10**exponent if exponent else tx.amount,
        "currency": tx.currency,
        "card_id": tx.card_id,
        "customer_id": tx.customer_id,
        "merchant_id": tx.merchant_id,
        "mcc": tx.mcc,
        "country": tx.country,
        "lat": tx.lat,
        "lon": tx.lon,
        "channel": tx.channel,
        "attributes": tx.attributes,
    }
    if tx.device_id is not None:
        body["device_id"] = tx.device_id
    if tx.ip is not None:
        body["ip"] = tx.ip
    return body


def label_to_submission(label: SimulatedLabel) -> dict[str, Any]:
    """For POST /labels; `timestamp` is when the reporter came to know."""
    return {
        "transaction_id": label.transaction_id,
        "timestamp": to_rfc3339(label.known_at),
        "kind": label.kind,
        "value": label.value,
        "reporter": REPORTER,
        "reference": label.reference,
    }
