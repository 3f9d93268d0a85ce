"""Cleaning of a whole payload; the rule of each kind of value is in its own module."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.cleaning.absent import DROPPED, USUAL, AbsentWords
from domain.cleaning.attributes import clean_attributes, given_attributes
from domain.cleaning.cards import Tokenise, card_number, tokenise_id
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
from domain.money import AS_WRITTEN, AmountStyle, Rates, sole_currency, to_minor
from domain.transactions import Transaction

CLEANERS: dict[str, Callable[[object], Any]] = {
    "transaction_id": clean_id,
    "currency": clean_currency,
    "card_id": clean_id,
    "customer_id": clean_id,
    "merchant_id": clean_id,
    "mcc": clean_mcc,
    "device_id": clean_id,
    "ip": clean_ip,
    "country": clean_country,
    "lat": clean_latitude,
    "lon": clean_longitude,
    "channel": clean_channel,
}
CANONICAL_FIELDS = (
    "transaction_id", "timestamp", "amount", *list(CLEANERS)[1:], "attributes",
)  # fmt: skip
_CANONICAL = frozenset(CANONICAL_FIELDS)
_REQUIRED = "is required"
ENTITY_IDS = ("card_id", "customer_id", "merchant_id", "device_id")


def clean_transaction(
    payload: Mapping[str, Any],
    *,
    now: int,
    tokenise: Tokenise,
    rates: Rates,
    default_currency: str = "USD",
    style: AmountStyle = AS_WRITTEN,
    words: AbsentWords = USUAL,
) -> Transaction:
    """The one meaning of `payload`; equal payloads give equal transactions.

    Null and empty text mean that a field is absent; unknown fields join the attributes. `now` is
    in microseconds, `style` how the source writes amounts, `words` what it writes for no value.
    Placeholder ids and the coordinates (0, 0) are left out, and kept in the attributes as dropped.

    Raises InvalidTransactionError naming every bad field, and nothing else.
    """
    if not isinstance(payload, Mapping):
        raise InvalidTransactionError([FieldError("body", "expected a JSON object")])
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    unknown: list[str] = []
    for name, value in payload.items():
        clean = CLEANERS.get(name)
        if clean is None:
            if name not in _CANONICAL and value is not None and value != "":
                unknown.append(name)
        elif value is not None:
            try:
                values[name] = clean(value)
            except UncleanError as error:
                if not _is_missing(value, words):
                    errors.append(FieldError(name, str(error)))
    dropped = _without_absent(values, words)
    if values.get("transaction_id") is None and not _among("transaction_id", errors):
        errors.append(FieldError("transaction_id", _REQUIRED))
    _moment(values, errors, payload.get("timestamp"), now)
    amount = payload.get("amount")
    currency = values.get("currency") or _signed_currency(amount) or default_currency
    values["currency"] = currency
    _money(values, errors, amount, currency, rates, style)
    if "lat" in values or "lon" in values:
        _both_coordinates(values, errors)
        if values.get("lat") == values.get("lon") == 0.0:
            dropped |= {"lat": values.pop("lat"), "lon": values.pop("lon")}
    without_card_numbers(values, tokenise)
    if unknown or payload.get("attributes") is not None:
        _attributes(values, errors, payload, unknown, tokenise)
    if dropped:
        values["attributes"] = {**values.get("attributes", {}), DROPPED: dropped}
    if errors:
        raise InvalidTransactionError(sorted(errors, key=_canonical_order))
    return Transaction(**values)


def _without_absent(values: dict[str, Any], words: AbsentWords) -> dict[str, Any]:
    """Ids that stand for no value or for nobody are taken out; the latter are returned."""
    dropped = {}
    for name in ENTITY_IDS:
        value = values.get(name)
        if value is None:
            continue
        if words.is_missing(value):
            values[name] = None
        elif words.is_placeholder(value):
            dropped[name] = value
            values[name] = None
    key = values.get("transaction_id")
    if key is not None and words.is_missing(key):
        values["transaction_id"] = None
    return dropped


def _is_missing(value: object, words: AbsentWords) -> bool:
    """Also of numbers in every form in which they are ids: -1, -1.0, "-1.0"."""
    try:
        return words.is_missing(clean_id(value) or "")
    except UncleanError:
        return False


def _moment(values: dict[str, Any], errors: list[FieldError], value: object, now: int) -> None:
    try:
        moment = None if value is None else clean_moment(value, now)
    except UncleanError as error:
        errors.append(FieldError("timestamp", str(error)))
        return
    if moment is None:
        errors.append(FieldError("timestamp", _REQUIRED))
    else:
        values["timestamp"] = moment


def _signed_currency(amount: object) -> str | None:
    if type(amount) is not str or (amount[:1].isdigit() and amount[-1:].isdigit()):
        return None
    return sole_currency(amount)


def _money(
    values: dict[str, Any],
    errors: list[FieldError],
    amount: object,
    currency: str,
    rates: Rates,
    style: AmountStyle,
) -> None:
    if amount is None or (isinstance(amount, str) and not amount.strip()):
        errors.append(FieldError("amount", _REQUIRED))
        return
    bad_currency = _among("currency", errors)
    try:
        # With an unknown currency, the amount is refused only for what no currency allows.
        minor = to_minor(amount, "CLF" if bad_currency else currency, style=style)
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
    if not _among(missing, errors):
        errors.append(FieldError(missing, "is required where the other coordinate is given"))


def without_card_numbers(values: dict[str, Any], tokenise: Tokenise) -> None:
    """Puts tokens in the place of card numbers in ids; a card's gives its BIN and last four."""
    card = values.get("card_id")
    if card is not None and len(card) >= 12 and (digits := card_number(card)):
        token = tokenise(digits)
        values["card_id"] = token.token
        values["card_bin"] = token.bin
        values["card_last4"] = token.last4
    # People fill other ids with card numbers too, and put a card's number and expiry into one id.
    for name in ENTITY_IDS:
        if (value := values.get(name)) is not None:
            values[name] = tokenise_id(value, tokenise)


def _attributes(
    values: dict[str, Any],
    errors: list[FieldError],
    payload: Mapping[str, Any],
    unknown: list[str],
    tokenise: Tokenise,
) -> None:
    given = payload.get("attributes")
    try:
        merged = dict(given_attributes(given)) if given is not None else {}
        for name in unknown:
            if name in merged:
                raise UncleanError("holds a name that is also given beside it")
            merged[name] = payload[name]
        values["attributes"] = clean_attributes(merged, tokenise)
    except UncleanError as error:
        errors.append(FieldError("attributes", str(error)))


def _among(field: str, errors: list[FieldError]) -> bool:
    return any(error.field == field for error in errors) if errors else False


def _canonical_order(error: FieldError) -> int:
    return CANONICAL_FIELDS.index(error.field)
