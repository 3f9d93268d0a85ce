"""Names of the fields that cleaning has changed, for the summaries of imports."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.cleaning.absent import DROPPED, dropped_flags
from domain.errors import InvalidInputError
from domain.money import AmountStyle, to_minor
from domain.transactions import Transaction

_COMPARED = frozenset(
    (
        "transaction_id", "currency", "card_id", "customer_id", "merchant_id", "mcc", "device_id",
        "ip", "country", "channel",
    )
)  # fmt: skip
READ_AS_UTC = ("times without an offset, read as UTC",)
_NUMBERS = frozenset(("amount", "lat", "lon"))


def changed_fields(payload: Mapping[str, Any], transaction: Transaction) -> list[str]:
    """Fields whose text was trimmed, recased, mapped, tokenised or moved to UTC.

    A change of type alone (an integer id, a decimal amount, a naive time) does not count.
    """
    return [
        name
        for name, value in payload.items()
        if type(value) is str and is_changed(name, value, getattr(transaction, name, None))
    ]


def is_changed(field: str, value: object, cleaned: object) -> bool:
    """As `changed_fields`, of one field."""
    if type(value) is not str or not value:
        return False
    if field in _COMPARED:
        return value != cleaned
    if field == "timestamp":
        return not _plain_moment(value)
    return field in _NUMBERS and not _plain_number(value)


def notes_of(timestamp: object, transaction: Transaction) -> tuple[str, ...]:
    """What the summary of an import must tell of a row that it took."""
    notes = READ_AS_UTC if is_naive(timestamp) else ()
    if DROPPED not in transaction.attributes:
        return notes
    flags = dropped_flags(transaction.attributes)
    return (*notes, *(f"rows with {flag.replace('_', ' ')}: left out" for flag in flags))


def is_naive(timestamp: object) -> bool:
    """Whether it states a time of day and no offset."""
    if isinstance(timestamp, str):
        tail = timestamp[10:].rstrip()
        return ":" in tail and not ("+" in tail or "-" in tail or tail[-1].isalpha())
    return isinstance(timestamp, datetime) and timestamp.tzinfo is None


def is_rounded(amount: object, transaction: Transaction, style: AmountStyle) -> bool:
    """Whether an amount that was taken has more decimals than its currency."""
    try:
        to_minor(amount, transaction.currency, style=style._replace(rounding=False))
    except InvalidInputError:
        return True
    return False


def _plain_moment(text: str) -> bool:
    tail = text[19:]
    return text == text.strip() and not (
        "-" in tail or ("+" in tail and not tail.endswith("+00:00")) or "z" in tail
    )


def _plain_number(text: str) -> bool:
    return text == text.strip() and "," not in text
