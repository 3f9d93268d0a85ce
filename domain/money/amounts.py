"""Amounts as written, parsed to integer minor units."""

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from domain.errors import InvalidInputError
from domain.money.currencies import EXPONENTS
from domain.money.written import EXPECTED, AmountError, read_amount

MAX_MINOR = 10**12

# The largest rounding error of binary arithmetic, in minor units; more than that was written so.
_ARTEFACT = 1e-6
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_SCALES = (1, 10, 100, 1000, 10_000)


class AmountStyle(NamedTuple):
    """How a source writes amounts: the `decimal` sign of its text, where it is known.

    With `rounding`, decimals beyond those of the currency are rounded half to even.
    """

    decimal: str | None = None
    rounding: bool = False


AS_WRITTEN = AmountStyle()
"""Nothing is stated."""


def to_minor(
    value: object, currency: str, field: str = "amount", style: AmountStyle = AS_WRITTEN
) -> int:
    """Minor units, 0 to 10^12, of an amount in major units of a currency in EXPONENTS.

    Takes int, float, Decimal and text: decimal comma, grouped thousands and a sign of the currency
    where they have one meaning. Raises InvalidInputError naming `field`.
    """
    exponent = EXPONENTS[currency]
    if type(value) is float:
        scaled = value * _SCALES[exponent]
        if 0.0 <= scaled <= MAX_MINOR and abs(scaled - (minor := round(scaled))) <= _ARTEFACT:
            return minor
    try:
        return _checked(_minor(value, exponent, currency, style))
    except AmountError as error:
        raise InvalidInputError(field, str(error)) from None


def to_major(minor: int, currency: str) -> Decimal:
    """The exact decimal amount; the inverse of `to_minor`."""
    return Decimal(minor).scaleb(-EXPONENTS[currency])


def _minor(value: object, exponent: int, currency: str, style: AmountStyle) -> int:
    kind = type(value)
    if kind is float:
        if style.rounding and math.isfinite(value):  # type: ignore[arg-type]
            return _from_decimal(Decimal(repr(value)), exponent, currency, rounding=True)
        return _from_float(value, exponent, currency)  # type: ignore[arg-type]
    if kind is int:
        return value * _SCALES[exponent]  # type: ignore[operator]
    if isinstance(value, str):
        written = read_amount(value, exponent, style.decimal)
        if written.currencies is not None and currency not in written.currencies:
            raise AmountError(f"has the sign of another currency than {currency}")
        return _from_decimal(written.value, exponent, currency, style.rounding)
    if isinstance(value, Decimal):
        return _from_decimal(value, exponent, currency, style.rounding)
    raise AmountError(EXPECTED)


def _from_float(value: float, exponent: int, currency: str) -> int:
    scaled = value * _SCALES[exponent]
    if not math.isfinite(scaled):
        raise AmountError("expected a finite number")
    if abs(scaled) > 2 * MAX_MINOR:
        return _outside(value < 0)
    minor = round(scaled)
    if abs(scaled - minor) > max(_ARTEFACT, 8 * math.ulp(scaled)):
        if value < 0:
            return -1
        raise AmountError(_excess(exponent, currency))
    return minor


def _from_decimal(value: Decimal, exponent: int, currency: str, rounding: bool) -> int:
    if not value.is_finite():
        raise AmountError("expected a finite number")
    # Bounds the work: at most 14 digits are left before the point.
    if value and value.adjusted() > 13:
        return _outside(value < 0)
    if value.adjusted() < -40:
        return 0
    scaled = _CONTEXT.scaleb(_CONTEXT.plus(value), exponent)
    whole = scaled.to_integral_value(ROUND_HALF_EVEN)
    if not rounding and scaled != whole:
        # One rule for text and numbers: what floats of the same value are taken as.
        return _from_float(float(value), exponent, currency)
    if rounding and value < 0:
        return -1  # not rounded up to nothing
    return int(whole)


def _outside(negative: bool) -> int:
    return -1 if negative else MAX_MINOR + 1


def _checked(minor: int) -> int:
    if minor < 0:
        raise AmountError("is below zero: a refund, and there is no event for refunds yet")
    if minor > MAX_MINOR:
        raise AmountError("must not be above 10^12 minor units")
    return minor


def _excess(exponent: int, currency: str) -> str:
    return f"has more decimals than {currency} has ({exponent})"
