"""Parsing of a received payload as a JSON object."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from domain.cleaning.attributes import single_keys
from domain.cleaning.fields import EXACT_FLOAT, LONGEST_ID, clean_id, printable
from domain.cleaning.unclean import UncleanError
from domain.errors import InvalidInputError
from domain.times import MINUTE, from_rfc3339


class MalformedPayloadError(InvalidInputError):
    """Not what JSON allows; nothing of it was taken."""


def parse_payload(received: bytes) -> tuple[Mapping[str, Any], str]:
    """The object and its text as received. Raises MalformedPayloadError.

    A number with a point is the double nearest to it, of which amounts up to 10^12 minor units are
    still exact.
    """
    try:
        text = received.decode()
        value = json.loads(
            text, parse_float=read_number, parse_constant=_refuse, object_pairs_hook=single_keys
        )
    except UnicodeDecodeError as error:
        raise MalformedPayloadError("body", "is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise MalformedPayloadError("body", f"is not valid JSON: {_said(error, text)}") from error
    if not isinstance(value, dict):
        raise MalformedPayloadError("body", "must be one JSON object")
    return value, text


def transaction_id_of(payload: Mapping[str, Any]) -> str | None:
    """As it will be cleaned; None where it is wrong or missing, which cleaning tells."""
    try:
        return clean_id(payload.get("transaction_id"))
    except UncleanError:
        return None


def check_fields(payload: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raises InvalidInputError naming a field of another name: it would be passed over."""
    for field in payload:
        if field not in known:
            told = f"names {field[:40]!a}, which is none of {', '.join(known)}"
            raise InvalidInputError("body", told)


def required_text(payload: Mapping[str, Any], field: str, longest: int = LONGEST_ID) -> str:
    """A printable text without spaces around it. Raises InvalidInputError."""
    value = payload.get(field)
    text = printable(value.strip()) if isinstance(value, str) else None
    if not text or len(text) > longest:
        raise InvalidInputError(field, f"must be a text of 1 to {longest} characters")
    return text


def reported_time(payload: Mapping[str, Any]) -> int | None:
    """Field `timestamp` in microseconds UTC, None where it is not given.

    Raises InvalidInputError.
    """
    value = payload.get("timestamp")
    if value is None:
        return None
    try:
        return from_rfc3339(value)
    except (TypeError, ValueError) as error:
        raise InvalidInputError("timestamp", "must be an RFC 3339 time") from error


def check_not_ahead(time: int | None, now: int) -> None:
    """Raises InvalidInputError for a reported time that has yet to come; clocks may differ."""
    if time is not None and time > now + 5 * MINUTE:
        raise InvalidInputError("timestamp", "lies more than five minutes in the future")


def read_number(text: str) -> float | Decimal:
    """A number of JSON that is written with a point or an exponent.

    A whole one with an exponent stays as it is written: `4.11111E+15` is what spreadsheets make of
    an id.
    """
    number = float(text)
    exponent = "e" in text or "E" in text
    if exponent and abs(number) < EXACT_FLOAT and number.is_integer():
        return Decimal(text)
    return number


def _said(error: Exception, text: str) -> str:
    """Where the parser speaks to programmers of its own language, in words for senders."""
    if text.startswith("\ufeff"):
        return "it begins with a byte order mark"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a number has too many digits" if "set_int_max_str_digits" in str(error) else str(error)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
