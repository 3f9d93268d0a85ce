"""Filters (which events a feature keeps) and fields (which value of an event it takes)."""

from collections.abc import Callable

from domain.features.declarations.feature import Field, Filter
from domain.features.events import FeatureEvent
from domain.features.kernel.row_layout import CARD, COUNTRY, CUSTOMER, DEVICE, IP, MERCHANT, PAYER

Keeps = Callable[[FeatureEvent], bool]

REMOTE_CHANNELS = frozenset({"ecom", "moto"})


def _declined(event: FeatureEvent) -> bool:
    return event.outcome == "decline"


def _remote(event: FeatureEvent) -> bool:
    return event.channel in REMOTE_CHANNELS


def _approved(event: FeatureEvent) -> bool:
    return event.outcome == "approve"


def _step_up_failed(event: FeatureEvent) -> bool:
    return event.outcome in ("failed", "abandoned")


def _step_up_passed(event: FeatureEvent) -> bool:
    return event.outcome == "passed"


KEEPS: dict[Filter, Keeps] = {
    Filter.DECLINED: _declined,
    Filter.REMOTE: _remote,
    Filter.APPROVED: _approved,
    Filter.STEP_UP_FAILED: _step_up_failed,
    Filter.STEP_UP_PASSED: _step_up_passed,
}

# By name, of a feature event.
ATTRIBUTE: dict[Field, str] = {
    Field.CARD: "card_id",
    Field.CUSTOMER: "customer_id",
    Field.MERCHANT: "merchant_id",
    Field.DEVICE: "device_id",
    Field.IP: "ip",
    Field.COUNTRY: "country",
    Field.PAYER: "payer_id",
}

ID_COLUMNS: dict[Field, int] = {
    Field.CARD: CARD,
    Field.CUSTOMER: CUSTOMER,
    Field.MERCHANT: MERCHANT,
    Field.DEVICE: DEVICE,
    Field.IP: IP,
    Field.COUNTRY: COUNTRY,
    Field.PAYER: PAYER,
}
"""The column of a row that holds each id."""

FILTER_BITS: dict[Filter, int] = {each: 1 << place for place, each in enumerate(Filter)}
"""The bit of each filter in the column FILTERS of a row."""
