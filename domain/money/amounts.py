"""Amounts as written, parsed to integer minor units."""

import math
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from domain.errors import InvalidInputError
from domain.money.currencies import EXPONENTS

MAX_MINOR = 10**12

# The largest rounding error of binary arithmetic, in minor units; more than that was written so.
_ARTEFACT = 1e-6
_ARTEFACT_DECIMAL = Decimal("0.000001")
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_SCALES = (1, 10, 100, 1000, 10_000)
_LONGEST = 64

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_POINT_GROUPED = re.compile(r"[+-]?\d{1,3}((,\d{3})+\.\d+|(,\d{3}){2,})", re.ASCII)
_COMMA_GROUPED = re.compile(r"[+-]?\d{1,3}((\.\d{3})+,\d+|(\.\d{3}){2,})", re.ASCII)
_COMMA_DECIMAL = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})", re.ASCII)
_AMBIGUOUS = re.compile(r"[+-]?\d{1,3},\d{3}", re.ASCII)


def to_minor(value: object, currency: str, field: str = "amount") -> int:
    """Minor units, 0 to 10^12, of an amount in major units of a currency in EXPONENTS.

    Takes int, float, Decimal and text, decimal comma and grouped thousands where they are
    unambiguous. Raises InvalidInputError naming `field`.
    """
    exponent = EXPONENTS[currency]
    if type(value) is float:
        scaled = value * _SCALES[exponent]
        if 0.0 <= scaled <= MAX_MINOR and abs(scaled - (minor := round(scaled))) <= _ARTEFACT:
            return minor
    try:
        return _checked(_minor(value, exponent, currency))
    except _AmountError as error:
        raise InvalidInputError(field, str(error)) from None


def to_major(minor: int, currency: str) -> Decimal:
    """The exact decimal amount; the inverse of `to_minor`."""
    return Decimal(minor).scaleb(-EXPONENTS[currency])


class _AmountError(ValueError):
    pass


def _minor(value: object, exponent: int, currency: str) -> int:
    kind = type(value)
    if kind is float:
        return _from_float(value, exponent, currency)  # type: ignore[arg-type]
    if kind is int:
        return value * _SCALES[exponent]  # type: ignore[operator]
    if isinstance(value, str):
        return _from_decimal(_parsed(value), exponent, currency)
    if isinstance(value, Decimal):
        return _from_decimal(value, exponent, currency)
    raise _AmountError("expected a number in major units, such as 12.50")


def _from_float(value: float, exponent: int, currency: str) -> int:
    scaled = value * _SCALES[exponent]
    if not math.isfinite(scaled):
        raise _AmountError("expected a finite number")
    if abs(scaled) > 2 * MAX_MINOR:
        return _outside(value < 0)
    minor = round(scaled)
    if abs(scaled - minor) > max(_ARTEFACT, 8 * math.ulp(scaled)):
        raise _AmountError(_excess(exponent, currency))
    return minor


def _from_decimal(value: Decimal, exponent: int, currency: str) -> int:
    if not value.is_finite():
        raise _AmountError("expected a finite number")
    # Bounds the work: at most 14 digits are left before the point.
    if value and value.adjusted() > 13:
        return _outside(value < 0)
    if value.adjusted() < -40:
        return 0
    scaled = _CONTEXT.scaleb(_CONTEXT.plus(value), exponent)
    whole = scaled.to_integral_value(ROUND_HALF_EVEN)
    if abs(_CONTEXT.subtract(scaled, whole)) > _ARTEFACT_DECIMAL:
        raise _AmountError(_excess(exponent, currency))
    return int(whole)


def _outside(negative: bool) -> int:
    return -1 if negative else MAX_MINOR + 1


def _checked(minor: int) -> int:
    if minor < 0:
        raise _AmountError("must not be negative")
    if minor > MAX_MINOR:
        raise _AmountError("must not be above 10^12 minor units")
    return minor


def _excess(exponent: int, currency: str) -> str:
    return f"has more decimals than {currency} has ({exponent})"


def _parsed(text: str) -> Decimal:
    text = text.strip()
    if len(text) > _LONGEST:
        raise _AmountError("is too long for a number")
    if _PLAIN.fullmatch(text):
        pass
    elif _POINT_GROUPED.fullmatch(text):
        text = text.replace(",", "")
    elif _COMMA_GROUPED.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    elif _COMMA_DECIMAL.fullmatch(text):
        text = text.replace(",", ".")
    elif _AMBIGUOUS.fullmatch(text):
        raise _AmountError("is ambiguous: is the comma a decimal one? write 1234.00 or 1.234")
    else:
        raise _AmountError("expected a number in major units, such as 12.50")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _AmountError("expected a number in major units, such as 12.50") from None
