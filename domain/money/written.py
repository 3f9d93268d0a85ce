"""Amounts as people write them: decimal signs, groups of thousands, currency signs, minus signs."""

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from domain.money.currencies import EXPONENTS


class AmountError(ValueError):
    """What is wrong with an amount, without its field."""


class WrittenAmount(NamedTuple):
    """`currencies` are those that a sign beside the number stands for; None without a sign."""

    value: Decimal
    currencies: frozenset[str] | None


AMBIGUOUS = "is ambiguous: is its sign a decimal one, or of thousands? write 1234.00"
EXPECTED = "expected a number in major units, such as 12.50"

_LONGEST = 64
_DOLLARS = """
USD USN ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NIO NZD
SBD SGD SRD TTD TWD UYU XCD
"""
_SIGNS = {
    sign: frozenset(codes.split())
    for sign, codes in {
        "$": _DOLLARS,
        "US$": "USD", "R$": "BRL", "€": "EUR", "£": "GBP EGP FKP GIP SHP", "¥": "JPY CNY",
        "￥": "JPY CNY", "₹": "INR", "₽": "RUB", "₩": "KRW KPW", "₪": "ILS", "₫": "VND",
        "₺": "TRY", "₴": "UAH", "฿": "THB", "₦": "NGN", "₱": "PHP", "₡": "CRC", "₲": "PYG",
        "₸": "KZT", "₼": "AZN", "₾": "GEL", "zł": "PLN", "Kč": "CZK", "kr": "SEK NOK DKK ISK",
    }.items()
}  # fmt: skip
_ANY_SIGN = "|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True)) + "|[A-Za-z]{3}"
_DRESSED = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[+-])?\s*(?P<before>{_ANY_SIGN})?\s*(?P<inner>[+-])?\s*"
    rf"(?P<number>[\d.,'’\s]*\d[.]?)\s*(?P<after>{_ANY_SIGN})?\s*(?P<last>-)?\s*(?P<close>\))?"
)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_BLANKS = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
_POINT_DECIMAL = re.compile(r"(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?", re.ASCII)
_COMMA_DECIMAL = re.compile(r"(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?", re.ASCII)
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


def read_amount(text: str, exponent: int, decimal: str | None) -> WrittenAmount:
    """`decimal` is the stated sign; without one, a text that has two meanings is refused.

    A point before as many digits as the currency has decimals is a decimal one: `92.000` of a
    dinar. Raises AmountError.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise AmountError("is too long for a number")
    if decimal != "," and _PLAIN.fullmatch(text):
        grouped = text[-4:-3] == "." and decimal is None and exponent != 3
        if grouped and _EITHER.fullmatch(text.lstrip("+-")):
            raise AmountError(AMBIGUOUS)
        return WrittenAmount(_decimal(text), None)
    negative, number, currencies = _undressed(text)
    sign = decimal or _told(number) or ("." if exponent == 3 and "." in number else None)
    if sign is None and _EITHER.fullmatch(number):
        raise AmountError(AMBIGUOUS)
    if sign == ",":
        matching, number = _COMMA_DECIMAL.fullmatch(number), number.replace(".", "")
    else:
        matching, number = _POINT_DECIMAL.fullmatch(number), number.replace(",", "")
    if matching is None:
        raise AmountError(EXPECTED if decimal is None else f"is no number with the sign {decimal}")
    value = _decimal(number.replace(",", "."))
    return WrittenAmount(value.copy_negate() if negative else value, currencies)


def decimal_sign(text: str) -> str | None:
    """The decimal sign where the text proves it by itself: `12,50`, `0.500`, `1,234,567`."""
    try:
        return _told(_undressed(text.strip())[1])
    except AmountError:
        return None


def sole_currency(text: str) -> str | None:
    """The currency that a sign beside an amount names, where it names one alone: `€ 5`."""
    try:
        currencies = _undressed(text.strip())[2]
    except AmountError:
        return None
    return next(iter(currencies)) if currencies is not None and len(currencies) == 1 else None


def _undressed(text: str) -> tuple[bool, str, frozenset[str] | None]:
    """Whether it is negative, the number with its blanks between thousands gone, the currencies."""
    found = _DRESSED.fullmatch(text[:_LONGEST].replace("\u2212", "-"))
    if found is None or bool(found["open"]) != bool(found["close"]):
        raise AmountError(EXPECTED)
    minuses = [found[name] for name in ("minus", "inner", "last") if found[name]]
    signs = [sign for sign in (found["before"], found["after"]) if sign]
    if len(minuses) > 1 or len(signs) > 1:
        raise AmountError(EXPECTED)
    number = _BLANKS.sub("", found["number"])
    return bool(found["open"]) or minuses == ["-"], number, _currencies(signs)


def _currencies(signs: list[str]) -> frozenset[str] | None:
    if not signs:
        return None
    codes = _SIGNS.get(signs[0])
    if codes is None:
        code = signs[0].upper()
        if code not in EXPONENTS:
            raise AmountError(EXPECTED)
        codes = frozenset([code])
    return codes


def _told(number: str) -> str | None:
    points, commas = number.count("."), number.count(",")
    if not points and not commas:
        return None
    if points and commas:
        sign = "." if number.rfind(".") > number.rfind(",") else ","
    elif _EITHER.fullmatch(number):
        return None
    elif points + commas > 1:
        sign = "," if points else "."  # several are of thousands
    else:
        sign = "." if points else ","
    pattern = _COMMA_DECIMAL if sign == "," else _POINT_DECIMAL
    return sign if pattern.fullmatch(number) else None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise AmountError(EXPECTED) from None
