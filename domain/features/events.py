"""FeatureEvent: the part of an event that features fold, and its compact wire form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from domain.events import (
    Envelope,
    Outcome,
    StepUpConcluded,
    StepUpResult,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
)
from domain.features.coordinates import Place, unit_vector
from domain.features.entities import payer_of
from domain.transactions import Transaction

Kind = Literal["transaction", "label", "step_up"]


class FeatureEvent(NamedTuple):
    """What folding needs of one fact; immutable, and cheap to make from its wire form.

    `time` is event time for a transaction, KNOWN time for a label, and that of its transaction for
    a step-up (microseconds UTC, as are `known_time` and `transaction_time`). `order` is the 64-bit
    digest of the event id: it breaks ties in time. `base_amount` is in minor units. `x`, `y`, `z`
    are the integer unit vector of the coordinates. `outcome` is the result of a step-up, and None
    for imported history; `label` is None for what is no label.
    """

    kind: Kind
    time: int
    order: int
    known_time: int
    transaction_id: str
    transaction_time: int
    base_amount: int
    card_id: str | None = None
    customer_id: str | None = None
    merchant_id: str | None = None
    device_id: str | None = None
    ip: str | None = None
    country: str | None = None
    channel: str | None = None
    x: int | None = None
    y: int | None = None
    z: int | None = None
    outcome: Outcome | StepUpResult | None = None
    label: int | None = None

    @property
    def place(self) -> Place | None:
        if self.x is None or self.y is None or self.z is None:
            return None
        return self.x, self.y, self.z

    @property
    def payer_id(self) -> str | None:
        return payer_of(self)

    def to_wire(self) -> list[Any]:
        """Positional; what is empty at the end is left out."""
        wire = list(self)
        while wire[-1] is None:
            wire.pop()
        return wire

    @classmethod
    def from_wire(cls, wire: Sequence[Any]) -> FeatureEvent:
        return cls(*wire)


@lru_cache(maxsize=1 << 16)
def code(text: str) -> int:
    """64-bit digest by which values are told apart in states (2^-64 that two of them collide)."""
    return digest(text)


def digest(text: str) -> int:
    hashed = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(hashed, "little")


def feature_event(envelope: Envelope) -> FeatureEvent | None:
    """None for facts that no feature folds."""
    data = envelope.data
    if isinstance(data, TransactionScored):
        return transaction_event(data.transaction, envelope.id, envelope.known_time, data.outcome)
    if isinstance(data, TransactionImported):
        return transaction_event(data.transaction, envelope.id, envelope.known_time, None)
    if isinstance(data, TransactionLabelled):
        return _label_event(data, envelope)
    if isinstance(data, StepUpConcluded):
        return _step_up_event(data, envelope)
    return None


def transaction_event(
    transaction: Transaction, event_id: str, known_time: int, outcome: Outcome | None
) -> FeatureEvent:
    place = place_of(transaction)
    return payment_event(transaction, digest(event_id), known_time, place, outcome)


def payment_event(
    transaction: Transaction,
    order: int,
    known_time: int,
    place: Place | None,
    outcome: Outcome | None = None,
) -> FeatureEvent:
    x, y, z = place or (None, None, None)
    return FeatureEvent(
        "transaction",
        transaction.timestamp,
        order,
        known_time,
        transaction.transaction_id,
        transaction.timestamp,
        transaction.base_amount,
        transaction.card_id,
        transaction.customer_id,
        transaction.merchant_id,
        transaction.device_id,
        transaction.ip,
        transaction.country,
        transaction.channel,
        x,
        y,
        z,
        outcome,
    )


def place_of(transaction: Transaction) -> Place | None:
    """None unless both coordinates are given."""
    if transaction.lat is None or transaction.lon is None:
        return None
    return unit_vector(transaction.lat, transaction.lon)


def _label_event(data: TransactionLabelled, envelope: Envelope) -> FeatureEvent:
    return FeatureEvent(
        "label",
        envelope.known_time,
        digest(envelope.id),
        envelope.known_time,
        data.transaction_id,
        data.transaction_time,
        data.base_amount,
        data.card_id,
        data.customer_id,
        data.merchant_id,
        data.device_id,
        data.ip,
        label=data.value,
    )


def _step_up_event(data: StepUpConcluded, envelope: Envelope) -> FeatureEvent:
    """At the time of its payment, so that whatever clock it came by no window moves on by it."""
    return FeatureEvent(
        "step_up",
        data.transaction_time,
        digest(envelope.id),
        envelope.known_time,
        data.transaction_id,
        data.transaction_time,
        data.base_amount,
        data.card_id,
        data.customer_id,
        data.merchant_id,
        data.device_id,
        data.ip,
        outcome=data.result,
    )
