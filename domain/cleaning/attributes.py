"""Cleaning of free-form attributes: JSON values within limits, without card numbers."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from domain.cleaning.cards import Tokenise, card_number, tokenise_text
from domain.cleaning.fields import EXACT_FLOAT
from domain.cleaning.unclean import UncleanError

LARGEST_BYTES = 16 * 1024
DEEPEST = 16
_LONGEST_CARD = 1e19
_INT_LEAST, _INT_MOST = -(2**63), 2**64 - 1
_UNSTORABLE = {0: "\ufffd"} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def clean_attributes(values: Mapping[Any, Any], tokenise: Tokenise) -> dict[str, Any]:
    """A JSON object of at most 16 KiB, 16 levels deep; raises UncleanError.

    One form whatever the file's types are: members without a value are left out, as a struct of
    Parquet names those of other rows too, and a whole number is an integer.
    """
    cleaned = _members(values, tokenise, 1)
    if cleaned and _size(cleaned) > LARGEST_BYTES:
        raise UncleanError(f"is larger than {LARGEST_BYTES} bytes of JSON")
    return cleaned


def given_attributes(value: object) -> Mapping[Any, Any]:
    """The object given as `attributes`; files hold it as the text of one."""
    if isinstance(value, str):
        if not value.strip():
            return {}
        if len(value) > 4 * LARGEST_BYTES:
            raise UncleanError(f"is larger than {LARGEST_BYTES} bytes of JSON")
        try:
            value = _decode(value)
        except RepeatedKeyError as error:
            raise UncleanError(str(error)) from None
        except (ValueError, RecursionError):
            raise UncleanError("expected a JSON object") from None
    if not isinstance(value, Mapping):
        raise UncleanError("expected a JSON object")
    return value


class RepeatedKeyError(ValueError):
    """One JSON object names `key` twice (RFC 8259): readers would disagree about its value."""

    def __init__(self, key: str) -> None:
        super().__init__(f"names the key {key[:100]!r} twice")
        self.key = key


def single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Hook of a JSON parser. Raises RepeatedKeyError naming the key."""
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(name for name, _ in pairs)
        raise RepeatedKeyError(next(name for name, count in times.items() if count > 1))
    return found


_decode = json.JSONDecoder(object_pairs_hook=single_keys).decode
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _members(values: Mapping[Any, Any], tokenise: Tokenise, depth: int) -> dict[str, Any]:
    return {
        _key(key, tokenise): _value(value, tokenise, depth)
        for key, value in values.items()
        if value is not None
    }


def _value(value: Any, tokenise: Tokenise, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        return _text(value, tokenise)
    if value is None or kind is bool:
        return value
    if kind is int:
        return _integer(value, tokenise)
    if kind is float or isinstance(value, Decimal):
        return _float(float(value), tokenise)
    if depth >= DEEPEST:
        raise UncleanError(f"is nested more than {DEEPEST} levels deep")
    if isinstance(value, Mapping):
        return _members(value, tokenise, depth + 1)
    if isinstance(value, list | tuple):
        return [_value(item, tokenise, depth + 1) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise UncleanError("holds a value that is not JSON")


def _key(key: Any, tokenise: Tokenise) -> str:
    if not isinstance(key, str):
        raise UncleanError("has a name that is not text")
    return _text(key, tokenise)


def _text(text: str, tokenise: Tokenise) -> str:
    if len(text) < 12 and text.isprintable():
        return text
    return tokenise_text(text.translate(_UNSTORABLE), tokenise)


def _integer(value: int, tokenise: Tokenise) -> int | str:
    if -(10**11) < value < 10**11:
        return value
    if abs(value) >= 10**200:
        raise UncleanError("holds a number of more than 200 digits")
    digits = card_number(str(abs(value)))
    if digits is not None:
        return tokenise(digits).token
    # JSON readers of other languages would round it.
    return value if _INT_LEAST <= value <= _INT_MOST else str(value)


def _float(value: float, tokenise: Tokenise) -> float | int | str:
    if not math.isfinite(value):
        raise UncleanError("holds a number that is not finite")
    if value.is_integer() and abs(value) < _LONGEST_CARD:
        whole = _integer(int(value), tokenise)
        # Beyond 2^53 it is no exact integer.
        return whole if isinstance(whole, str) or abs(value) < EXACT_FLOAT else value
    return value


def _size(value: Any) -> int:
    return len(_encode(value).encode())
