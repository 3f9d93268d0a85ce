"""Exchange rates by day, as integers."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from domain.errors import InvalidInputError
from domain.money.approximate import APPROXIMATE_BASE, APPROXIMATE_FROM, APPROXIMATE_RATES
from domain.money.currencies import EXPONENTS
from domain.times import DAY

_DIGITS = 12
_SCALE = 10**_DIGITS
_EPOCH = date(1970, 1, 1)


_Table = tuple[list[int], list[int], int]


class Rates:
    """Major units of `base` for one major unit of a currency, by day; immutable.

    The last rate on or before the UTC day of a moment holds. A currency that appears in no row
    falls back to `fallback`, where one of the same base is given.
    """

    def __init__(
        self, base: str, rows: Iterable[tuple[date, str, Decimal]], fallback: Rates | None = None
    ) -> None:
        if base not in EXPONENTS:
            raise InvalidInputError("base", f"{base!r} is not an ISO 4217 currency")
        if fallback is not None and fallback.base != base:
            raise InvalidInputError("base", f"the rates to fall back on are in {fallback.base}")
        self.base: str = base
        given = _tables(base, rows)
        self._tables: Mapping[str, _Table] = {**fallback._tables, **given} if fallback else given

    def to_base(self, amount: int, currency: str, timestamp: int) -> int:
        """Minor units of `base`, half to even. Raises InvalidInputError where no rate is known."""
        if currency == self.base:
            return amount
        table = self._tables.get(currency)
        if table is None:
            raise InvalidInputError("currency", f"no exchange rate of {currency} is known")
        days, multipliers, divisor = table
        at = bisect_right(days, timestamp // DAY) - 1
        if at < 0:
            raise InvalidInputError(
                "currency", f"no exchange rate of {currency} is known for so early a day"
            )
        return _half_even(amount * multipliers[at], divisor)

    @classmethod
    def from_csv(cls, lines: Iterable[str], base: str, fallback: Rates | None = None) -> Rates:
        """Reads `day,currency,rate` with that header: 2024-05-31,EUR,1.0848 for base USD."""
        reader = csv.DictReader(lines)
        missing = {"day", "currency", "rate"} - set(reader.fieldnames or ())
        if missing:
            raise InvalidInputError(
                "rates", f"the header lacks {', '.join(sorted(missing))}: day,currency,rate"
            )
        return cls(base, (_row(row, reader.line_num) for row in reader), fallback)


def approximate_rates() -> Rates:
    """Yearly averages, rounded: good enough to compare sizes, not to book money. Base USD."""
    rows = [
        (date(year, 1, 1), currency, Decimal(rate))
        for currency, by_year in APPROXIMATE_RATES.items()
        for year, rate in zip(APPROXIMATE_FROM, by_year.split(), strict=False)
    ]
    return Rates(APPROXIMATE_BASE, rows)


def _tables(base: str, rows: Iterable[tuple[date, str, Decimal]]) -> Mapping[str, _Table]:
    by_currency: dict[str, dict[int, int]] = {}
    for day, currency, rate in rows:
        scaled = int((rate * _SCALE).to_integral_value())
        if scaled <= 0:
            raise InvalidInputError("rate", f"the rate of {currency} on {day} is not above 0")
        by_currency.setdefault(currency, {})[(day - _EPOCH).days] = scaled
    return {currency: _table(base, currency, found) for currency, found in by_currency.items()}


def _table(base: str, currency: str, found: Mapping[int, int]) -> _Table:
    days = sorted(found)
    up = 10 ** EXPONENTS[base]
    return days, [found[day] * up for day in days], _SCALE * 10 ** EXPONENTS[currency]


def _half_even(numerator: int, divisor: int) -> int:
    quotient, rest = divmod(numerator, divisor)
    twice = 2 * rest
    if twice > divisor or (twice == divisor and quotient & 1):
        quotient += 1
    return quotient


def _row(row: Mapping[str, str | None], line: int) -> tuple[date, str, Decimal]:
    currency = (row["currency"] or "").strip().upper()
    if currency not in EXPONENTS:
        raise InvalidInputError("currency", f"line {line}: not an ISO 4217 currency")
    try:
        day = date.fromisoformat((row["day"] or "").strip())
    except ValueError:
        raise InvalidInputError("day", f"line {line}: expected a day such as 2024-05-31") from None
    try:
        rate = Decimal((row["rate"] or "").strip())
    except InvalidOperation:
        raise InvalidInputError("rate", f"line {line}: expected a decimal number") from None
    if not rate.is_finite() or not Decimal("1e-12") <= rate <= Decimal("1e12"):
        raise InvalidInputError("rate", f"line {line}: expected a number above 0")
    return day, currency, rate
