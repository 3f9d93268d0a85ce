"""Card tokens: the keyed hash that replaces a card number."""

import hmac
from functools import lru_cache

from domain.cleaning.cards import CardToken
from domain.errors import SettingsError

__all__ = ["CardToken", "Tokeniser"]

_PREFIX = "tok_"
_LEAST_KEY = 16
# Letters alone, so that no token can be taken for a card number in its turn.
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")


class Tokeniser:
    """Equal card numbers give equal tokens under one key; without the key a token tells nothing."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _LEAST_KEY:
            raise SettingsError(f"the key of card tokens has fewer than {_LEAST_KEY} bytes")
        self._key = key
        self._cached = lru_cache(maxsize=65536)(self._token)

    def __call__(self, digits: str) -> CardToken:
        """`digits` are those of a card number, bare."""
        return self._cached(digits)

    def _token(self, digits: str) -> CardToken:
        tag = hmac.digest(self._key, b"retrace/card/1:" + digits.encode(), "sha256")
        token = _PREFIX + tag[:16].hex().translate(_LETTERS)
        return CardToken(token, bin=digits[:6], last4=digits[-4:])
