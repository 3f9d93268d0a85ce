"""Times as foreign systems write them, parsed to microseconds UTC."""

import math
import re
from datetime import datetime
from decimal import Decimal

from domain.cleaning.fields import EXACT_FLOAT
from domain.cleaning.unclean import UncleanError
from domain.times import DAY, MINUTE, SECOND, from_datetime

EARLIEST = 7305 * DAY  # 1990-01-01
TOLERANCE = 5 * MINUTE

EARLIEST_NUMBER = 10957 * DAY  # 2000-01-01: .NET ticks of today would be nanoseconds of 1990

_EXPECTED = "expected a date and time such as 2023-10-01T12:34:56Z"
_NUMBER = re.compile(r"\d{9,20}(\.\d+)?", re.ASCII)
_SPACED_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)", re.ASCII)
_ZULU = re.compile(r"\s*(?:z|utc|gmt)$", re.ASCII | re.IGNORECASE)
_LATEST = 47482 * DAY  # 2100-01-01: up to it, no number can be read in two units
_TEXT_MOST = 64
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


def clean_moment(value: object, now: int) -> int | None:
    """Microseconds UTC, from 1990 to five minutes after `now`; None for an empty text.

    Takes RFC 3339 text (without offset: UTC), datetime, and seconds, milli-, micro- or
    nanoseconds since 1970, whose size tells the unit: no number of this century fits two of them.
    """
    if isinstance(value, str):
        micros = _from_text(value)
        if micros is None:
            return None
    elif isinstance(value, datetime):
        micros = _from_datetime(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        micros = _from_number(value)
    else:
        raise UncleanError(_EXPECTED)
    if micros < EARLIEST:
        raise UncleanError("is before 1990")
    if micros > now + TOLERANCE:
        raise UncleanError("is more than five minutes in the future")
    return micros


def _from_text(text: str) -> int | None:
    try:
        # A date alone would put the payment at midnight.
        if len(text) > 15 and text[4] == "-" and text[7] == "-":
            return _from_datetime(datetime.fromisoformat(text))
    except ValueError:
        pass
    text = text.strip()
    if not text:
        return None
    if text[4:5] == "/" == text[7:8]:
        text = text[:10].replace("/", "-") + text[10:]
    if len(text) > _TEXT_MOST:
        raise UncleanError(_EXPECTED)
    if _NUMBER.fullmatch(text):
        return _from_number(Decimal(text) if "." in text else int(text))
    text = _SPACED_OFFSET.sub("", _ZULU.sub("+00:00", text))
    if len(text) < 16 or text[4] != "-" or text[7] != "-":
        raise UncleanError(_EXPECTED)
    try:
        return _from_datetime(datetime.fromisoformat(text))
    except ValueError:
        raise UncleanError(_EXPECTED) from None


def _from_datetime(moment: datetime) -> int:
    if moment.tzinfo is None:
        since = moment - _NAIVE_EPOCH
        return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
    try:
        return from_datetime(moment)
    except OverflowError:
        raise UncleanError(_EXPECTED) from None


def _decimal(value: float | Decimal) -> Decimal:
    """As a file of doubles holds it, with however many digits it was written."""
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    # A Decimal that is no number has letters there; one above 0 is of a number that lost digits.
    if not isinstance(exponent, int) or exponent > 0 or not math.isfinite(value):
        raise UncleanError(_EXPECTED)
    number = float(value)
    if abs(number) >= EXACT_FLOAT:
        raise UncleanError("is beyond 2^53, where floats lose digits: write it as an integer")
    return Decimal(repr(number))


def _from_number(value: int | float | Decimal) -> int:
    if not isinstance(value, int):
        value = _decimal(value)
    for per_unit in (Decimal(SECOND), Decimal(1000), Decimal(1), Decimal("0.001")):
        if EARLIEST_NUMBER / per_unit <= value < _LATEST / per_unit:
            return int((value * per_unit).to_integral_value())
    raise UncleanError(
        f"{_EXPECTED}, or seconds since 1970 and from 2000 on; other counts (days of a spreadsheet,"
        " ticks) need a counter in a mapping"
    )
