"""Cleaning of a list's entries: written once as the field is that they are looked up with."""

from ipaddress import ip_network
from typing import Any

from domain.cleaning.cards import Tokenise
from domain.cleaning.fields import clean_country, clean_id, clean_ip, printable
from domain.cleaning.transaction import without_card_numbers
from domain.cleaning.unclean import UncleanError

BIN_DIGITS = 6
"""All that is kept of a card number's beginning."""


def list_keys(of: str, written: str, tokenise: Tokenise) -> list[str]:
    """The texts that an entry stands for: several for a range of BINs. Raises UncleanError."""
    text = written.strip()
    if not text:
        raise UncleanError("is empty")
    if of in ("card", "customer", "merchant", "device"):
        values: dict[str, Any] = {f"{of}_id": clean_id(text)}
        without_card_numbers(values, tokenise)
        found = values[f"{of}_id"]
        return [found] if found else []
    if of == "country":
        return [clean_country(text) or ""]
    if of == "ip":
        return [_network(text)]
    if of == "bin":
        return _prefixes(*_bounds(text))
    if of == "email_domain":
        return [_domain(text)]
    if (name := printable(text)) is None or not any(c.isalnum() for c in name):
        raise UncleanError("expected a name")
    return [name]


def _network(text: str) -> str:
    try:
        # An address in either family is written as the transaction's is.
        found = ip_network(text if "/" in text else clean_ip(text) or "")
    except ValueError as error:
        raise UncleanError(
            f"expected an address or a network such as 10.0.0.0/8: {error}"
        ) from None
    return str(found)


def _domain(text: str) -> str:
    domain = text.rpartition("@")[2].lower()
    if "." not in domain or " " in domain:
        raise UncleanError("expected a domain such as example.org")
    return domain


def _bounds(text: str) -> tuple[str, str]:
    first, _, last = (part.strip() for part in text.partition("-"))
    last = last or first
    digits = first + last
    if not (digits.isascii() and digits.isdigit() and len(first) == len(last) <= BIN_DIGITS):
        raise UncleanError(f"expected one to {BIN_DIGITS} digits, or two such numbers and a dash")
    if first > last:
        raise UncleanError("the range ends before it begins")
    return first, last


def _prefixes(first: str, last: str) -> list[str]:
    """The fewest prefixes that numbers from `first` to `last`, of one length, begin with."""
    if first == last:
        return [first]
    length = len(first)
    if first == "0" * length and last == "9" * length:
        return [str(digit) for digit in range(10)]
    found: list[str] = []
    for digit in range(int(first[0]), int(last[0]) + 1):
        low = first[1:] if digit == int(first[0]) else "0" * (length - 1)
        high = last[1:] if digit == int(last[0]) else "9" * (length - 1)
        whole = low == "0" * (length - 1) and high == "9" * (length - 1)
        found += [str(digit)] if whole else [f"{digit}{each}" for each in _prefixes(low, high)]
    return found
