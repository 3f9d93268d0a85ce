"""Cleaning of single values: ids, codes, addresses, coordinates. Times are in moments.py."""

import math
import re
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from domain.cleaning.countries import ALPHA2, ALPHA3
from domain.cleaning.unclean import UncleanError
from domain.money import EXPONENTS
from domain.transactions import CHANNELS

LONGEST_ID = 200
_LARGEST_INT = 10**LONGEST_ID
DAMAGED = "was damaged by a spreadsheet or a float: export the column as text"
_SMALL = 10**18
EXACT_FLOAT = 2**53
_QUOTES = "'\""
# Spreadsheets write a plus sign, Java and Spark none: `4.11111E15`. `12E34` and `1e5` are ids.
_SCIENTIFIC = re.compile(r"\d([.,]\d+[eE]\+?|[eE]\+)\d{1,3}", re.ASCII)
_FLOAT = re.compile(r"-?\d{1,20}\.0+", re.ASCII)
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")

_CHANNEL_SYNONYMS = {
    "contactless": "contactless nfc tap tap_to_pay wallet_contactless",
    "pos": "card_present cp in_store instore store chip chip_and_pin emv swipe magstripe terminal"
    " in_person retail physical",
    "ecom": "ecommerce e_commerce online web internet card_not_present cnp app mobile mobile_app"
    " in_app website browser",
    "moto": "mail_order telephone_order phone phone_order mail telephone call_center call_centre",
    "atm": "cash cash_withdrawal withdrawal cash_machine atm_withdrawal",
    "transfer": "bank_transfer wire p2p credit_transfer",
    "other": "unknown misc",
}
_CHANNELS = {channel: channel for channel in CHANNELS} | {
    word: channel for channel, words in _CHANNEL_SYNONYMS.items() for word in words.split()
}


def clean_id(value: object) -> str | None:
    """Trimmed text of 1 to 200 printable characters, without quotes around it.

    An integer is written out, also one that came as a float because others are missing.
    """
    if type(value) is int and -_SMALL < value < _SMALL:
        return str(value)
    if isinstance(value, float | Decimal):
        return _whole(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= _LARGEST_INT:
            raise UncleanError(f"has more than {LONGEST_ID} digits")
        text = str(value)
    elif isinstance(value, str):
        text = value.strip()
        if text.isalnum() and len(text) <= LONGEST_ID:
            return text
    else:
        raise UncleanError("expected text, or an integer")
    if not text:
        return None
    if text[-1] in "0123456789" and ("." in text or "+" in text or "," in text):
        text = _undamaged(text)
    elif text[0] in _QUOTES and text[0] == text[-1] and not (text := text[1:-1].strip()):
        return None
    if len(text) > LONGEST_ID:
        raise UncleanError(f"has more than {LONGEST_ID} characters")
    if (text_or_none := printable(text)) is None:
        raise UncleanError("holds a character that cannot be printed")
    return text_or_none


def _undamaged(text: str) -> str:
    if _SCIENTIFIC.fullmatch(text):
        raise UncleanError(DAMAGED)
    found = _FLOAT.fullmatch(text)
    return (_whole(Decimal(text)) or "") if found else text


def _whole(value: float | Decimal) -> str | None:
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if number.is_nan():
        return None
    if not number.is_finite():
        raise UncleanError("expected text, or an integer")
    if isinstance(value, Decimal) and number.as_tuple().exponent > 0:  # type: ignore[operator]
        raise UncleanError(DAMAGED)
    if number.copy_abs() >= EXACT_FLOAT:
        raise UncleanError("is beyond 2^53, where floats lose digits: export it as text")
    if number % 1:
        raise UncleanError("expected text, or an integer")
    return str(int(number))


def printable(text: str) -> str | None:
    """`text` with plain spaces for all others; None where something else cannot be printed."""
    if not text.isprintable() and not (text := _SPACES.sub(" ", text)).isprintable():
        return None
    return text


def clean_currency(value: object) -> str | None:
    """An ISO 4217 code, upper case."""
    text = _text(value, "a currency code such as EUR")
    if text in EXPONENTS:
        return text
    text = text.strip().upper()
    if not text:
        return None
    if text not in EXPONENTS:
        raise UncleanError(f"{_shown(text)} not an ISO 4217 currency code such as EUR")
    return text


def clean_country(value: object) -> str | None:
    """ISO 3166 alpha-2, upper case; alpha-3 is mapped."""
    text = _text(value, "a country code such as DE").strip().upper()
    if not text:
        return None
    found = text if text in ALPHA2 else ALPHA3.get(text)
    if found is None:
        raise UncleanError(f"{_shown(text)} not an ISO 3166 country code such as DE or DEU")
    return found


def clean_mcc(value: object) -> str | None:
    """Four digits; an integer, also as a float or as text, is padded with zeros."""
    if isinstance(value, float | Decimal) or (isinstance(value, str) and "." in value):
        whole = clean_id(value) or ""
        value = int(whole) if whole.isdecimal() else whole
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= 9999:
            raise UncleanError("expected a merchant category code of four digits")
        return f"{value:04d}"
    text = _text(value, "a merchant category code of four digits").strip()
    if not text:
        return None
    if not (len(text) <= 4 and text.isascii() and text.isdigit()):
        raise UncleanError("expected a merchant category code of four digits")
    return text.zfill(4)


def clean_channel(value: object) -> str | None:
    text = _text(value, f"one of {', '.join(CHANNELS)}").strip().lower()
    if not text:
        return None
    found = _CHANNELS.get(text) or _CHANNELS.get(text.replace("-", "_").replace(" ", "_"))
    if found is None:
        raise UncleanError(f"expected one of {', '.join(CHANNELS)}")
    return found


def clean_ip(value: object) -> str | None:
    text = _text(value, "an IPv4 or IPv6 address").strip()
    return _address(text) if text else None


def clean_latitude(value: object) -> float | None:
    return _coordinate(value, 90.0)


def clean_longitude(value: object) -> float | None:
    return _coordinate(value, 180.0)


@lru_cache(maxsize=65536)
def _address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        raise UncleanError("expected an IPv4 or IPv6 address") from None
    if isinstance(address, IPv6Address):
        if address.scope_id:
            raise UncleanError("expected an address without a zone")
        return str(address.ipv4_mapped or address)
    return str(address)


def _coordinate(value: object, most: float) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        try:
            number = float(text) if len(text) <= 64 else math.nan
        except ValueError:
            raise UncleanError("expected degrees as a decimal number") from None
    elif isinstance(value, float):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = float(value) if abs(value) <= 360 else math.inf
    else:
        number = _decimal(value)
    if not -most <= number <= most:
        raise UncleanError(f"expected degrees from {-most:.0f} to {most:.0f}")
    return number + 0.0  # of the two zeros, the positive one


def _decimal(value: object) -> float:
    if isinstance(value, Decimal) and value.is_finite():
        return float(value)
    raise UncleanError("expected degrees as a decimal number")


def _text(value: object, expected: str) -> str:
    if isinstance(value, str):
        return value
    raise UncleanError(f"expected {expected}")


def _shown(text: str) -> str:
    """Repeats short words; anything that could be a number or a secret is left out."""
    return f"{text!r} is" if len(text) <= 12 and text.isascii() and text.isalpha() else "is"
