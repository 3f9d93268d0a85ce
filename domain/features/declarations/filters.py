"""Owns which feature events a filter keeps and which value a field has; holds no state."""

from __future__ import annotations

from collections.abc import Callable

from domain.features.declarations.feature import Field, Filter
from domain.features.events import FeatureEvent

Keeps = Callable[[FeatureEvent], bool]

REMOTE_CHANNELS = frozenset({"ecom", "moto"})


def _declined(event: FeatureEvent) -> bool:
    return event.outcome == "decline"


def _remote(event: FeatureEvent) -> bool:
    return event.channel in REMOTE_CHANNELS


def _approved(event: FeatureEvent) -> bool:
    return event.outcome == "approve"


KEEPS: dict[Filter, Keeps] = {
    Filter.DECLINED: _declined,
    Filter.REMOTE: _remote,
    Filter.APPROVED: _approved,
}

# By name alone, so that the same field is read from a transaction and from its event.
ATTRIBUTE: dict[Field, str] = {
    Field.CARD: "card_id",
    Field.CUSTOMER: "customer_id",
    Field.MERCHANT: "merchant_id",
    Field.DEVICE: "device_id",
    Field.IP: "ip",
    Field.COUNTRY: "country",
}
