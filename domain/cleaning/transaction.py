"""Owns the cleaning of a whole payload; each value's rule lives with its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.cleaning.attributes import clean_attributes, given_attributes
from domain.cleaning.cards import Tokenise, card_number, issued_card_number
from domain.cleaning.fields import (
    clean_channel,
    clean_country,
    clean_currency,
    clean_id,
    clean_ip,
    clean_latitude,
    clean_longitude,
    clean_mcc,
)
from domain.cleaning.moments import clean_moment
from domain.cleaning.unclean import UncleanError
from domain.errors import FieldError, InvalidInputError, InvalidTransactionError
from domain.money import Rates, to_minor
from domain.transactions import Transaction

_ID = ("transaction_id", clean_id)
_SIMPLE: tuple[tuple[str, Callable[[object], Any]], ...] = (
    ("currency", clean_currency),
    ("card_id", clean_id),
    ("customer_id", clean_id),
    ("merchant_id", clean_id),
    ("mcc", clean_mcc),
    ("device_id", clean_id),
    ("ip", clean_ip),
    ("country", clean_country),
    ("lat", clean_latitude),
    ("lon", clean_longitude),
    ("channel", clean_channel),
)
CANONICAL_FIELDS = (
    "transaction_id", "timestamp", "amount", *(name for name, _ in _SIMPLE), "attributes",
)  # fmt: skip
_CANONICAL = frozenset(CANONICAL_FIELDS)
_REQUIRED = "is required"
# Ids that people do fill with card numbers; a card id needs no issuer's range to be taken for one.
_MAYBE_CARDS = ("customer_id", "merchant_id", "device_id")


def clean_transaction(
    payload: Mapping[str, Any],
    *,
    now: int,
    tokenise: Tokenise,
    rates: Rates,
    default_currency: str = "USD",
) -> Transaction:
    """The one meaning of `payload`; equal payloads give equal transactions.

    Null and empty text mean that a field is absent; unknown fields join the attributes. `now` is
    in microseconds. Raises InvalidTransactionError naming every bad field, and nothing else.
    """
    if not isinstance(payload, Mapping):
        raise InvalidTransactionError([FieldError("body", "expected a JSON object")])
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    _required(values, errors, payload, "transaction_id", clean_id)
    _required(values, errors, payload, "timestamp", lambda value: clean_moment(value, now))
    for name, clean in _SIMPLE:
        value = payload.get(name)
        if value is not None:
            try:
                values[name] = clean(value)
            except UncleanError as error:
                errors.append(FieldError(name, str(error)))
    currency = values.get("currency") or default_currency
    values["currency"] = currency
    _money(values, errors, payload.get("amount"), currency, rates)
    _both_coordinates(values, errors)
    _cards(values, tokenise)
    _attributes(values, errors, payload, tokenise)
    if errors:
        raise InvalidTransactionError(sorted(errors, key=_canonical_order))
    return Transaction(**values)


def _required(
    values: dict[str, Any],
    errors: list[FieldError],
    payload: Mapping[str, Any],
    name: str,
    clean: Callable[[object], Any],
) -> None:
    value = payload.get(name)
    try:
        cleaned = None if value is None else clean(value)
    except UncleanError as error:
        errors.append(FieldError(name, str(error)))
        return
    if cleaned is None:
        errors.append(FieldError(name, _REQUIRED))
    values[name] = cleaned


def _money(
    values: dict[str, Any], errors: list[FieldError], amount: object, currency: str, rates: Rates
) -> None:
    if amount is None or amount == "":
        errors.append(FieldError("amount", _REQUIRED))
        return
    bad_currency = any(error.field == "currency" for error in errors)
    try:
        # With an unknown currency, only what no currency allows is held against the amount.
        minor = to_minor(amount, "CLF" if bad_currency else currency)
        values["amount"] = minor
        timestamp = values.get("timestamp")
        if timestamp is not None and not bad_currency:
            values["base_amount"] = rates.to_base(minor, currency, timestamp)
    except InvalidInputError as error:
        errors.append(FieldError(error.field, error.message))


def _both_coordinates(values: dict[str, Any], errors: list[FieldError]) -> None:
    if (values.get("lat") is None) == (values.get("lon") is None):
        return
    missing = "lon" if values.get("lon") is None else "lat"
    if not any(error.field == missing for error in errors):
        errors.append(FieldError(missing, "is required where the other coordinate is given"))


def _cards(values: dict[str, Any], tokenise: Tokenise) -> None:
    card = values.get("card_id")
    if card is not None and len(card) >= 12 and (digits := card_number(card)):
        token = tokenise(digits)
        values["card_id"] = token.token
        values["card_bin"] = token.bin
        values["card_last4"] = token.last4
    for name in _MAYBE_CARDS:
        value = values.get(name)
        if value is not None and len(value) >= 12 and (digits := issued_card_number(value)):
            values[name] = tokenise(digits).token


def _attributes(
    values: dict[str, Any],
    errors: list[FieldError],
    payload: Mapping[str, Any],
    tokenise: Tokenise,
) -> None:
    given = payload.get("attributes")
    unknown = [name for name in payload if name not in _CANONICAL]
    if given is None and not unknown:
        return
    try:
        merged = dict(given_attributes(given)) if given is not None else {}
        for name in unknown:
            if name in merged:
                raise UncleanError("holds a name that is also given beside it")
            merged[name] = payload[name]
        values["attributes"] = clean_attributes(merged, tokenise)
    except UncleanError as error:
        errors.append(FieldError("attributes", str(error)))


def _canonical_order(error: FieldError) -> int:
    return CANONICAL_FIELDS.index(error.field)
