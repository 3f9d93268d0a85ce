"""Submissions and transactions over HTTP; their cleaning is in domain.cleaning."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.schemas.decisions import DecisionOut
from api.schemas.step_ups import StepUpOut
from domain.events import Envelope
from domain.money import with_shown_amounts
from domain.times import to_rfc3339

MINIMAL_EXAMPLE: JsonDict = {
    "transaction_id": "12345",
    "amount": 100.00,
    "timestamp": "2023-10-01T12:34:56Z",
}
FULL_EXAMPLE: JsonDict = {
    "transaction_id": "ord-20231001-0042",
    "timestamp": "2023-10-01T14:34:56+02:00",
    "amount": "249.90",
    "currency": "EUR",
    "card_id": "card-7311",
    "customer_id": "cust-118",
    "merchant_id": "shop-42",
    "mcc": "5732",
    "device_id": "dev-9f3",
    "ip": "203.0.113.7",
    "country": "DE",
    "lat": 52.52,
    "lon": 13.405,
    "channel": "ecom",
    "attributes": {"basket": ["camera", "lens"], "coupon": False},
}


class TransactionIn(BaseModel):
    """One payment to decide on. Only the first three fields are required; more fields give more
    features a value. Unknown fields are kept among the attributes."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [MINIMAL_EXAMPLE, FULL_EXAMPLE]}
    )

    transaction_id: str | int = Field(description="Yours; an equal id is the same transaction.")
    amount: Decimal = Field(description="In major units, e.g. 12.50; 0 is valid.", ge=0)
    timestamp: str = Field(description="RFC 3339; without offset it is taken as UTC.")
    currency: str | None = Field(None, description="ISO 4217; USD unless given.")
    card_id: str | None = Field(None, description="An opaque id; a card number becomes a token.")
    customer_id: str | None = None
    merchant_id: str | None = None
    mcc: str | int | None = Field(None, description="ISO 18245 category, four digits.")
    device_id: str | None = None
    ip: str | None = Field(None, description="IPv4 or IPv6.")
    country: str | None = Field(None, description="ISO 3166, two or three letters.")
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)
    channel: str | None = Field(None, description="pos, contactless, ecom, moto, atm, transfer.")
    attributes: dict[str, Any] | None = Field(None, description="Kept and shown, never features.")


Status = Literal["submitted", "decided", "imported"]


class ReceiptOut(BaseModel):
    """The submission is durable; poll `location` for its decision."""

    transaction_id: str
    status: Literal["submitted"] = "submitted"
    recorded: bool = Field(description="True where the same submission was known before.")
    location: str


class TransactionOut(BaseModel):
    """A transaction as cleaned, with its decision once there is one."""

    transaction_id: str
    status: Status
    known_time: str
    transaction: dict[str, Any] = Field(
        description="The fields that have a value: `amount` in major units as decimal text, "
        "`amount_minor` as integer; `base_amount_minor` in minor units of the base currency."
    )
    decision: DecisionOut | None = None
    step_up: StepUpOut | None = Field(None, description="Of a decision of step_up: how it ended.")
    raw: str | None = Field(None, description="The payload as received, with ?raw=true.")


def transaction_fields(envelope: Envelope) -> dict[str, Any]:
    """Canonical fields that have a value."""
    transaction = envelope.data.transaction
    fields = {name: getattr(transaction, name) for name in transaction.__slots__}
    fields["timestamp"] = to_rfc3339(transaction.timestamp)
    return with_shown_amounts({name: value for name, value in fields.items() if value is not None})
