"""Words that files write for a missing value, and placeholder ids that stand for nobody."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

MISSING = ("-1", "null", "(null)", "none", "n/a", "\\N", "nan")
"""In ids and other text, of any case. NA is no such word: it is Namibia."""

PLACEHOLDERS = (
    "000000", "unknown", "undefined", "unidentified", "anonymous", "guest", "test", "testing",
    "dummy", "default", "placeholder", "not available", "not set", "9774d56d682e549c",
    "02:00:00:00:00:00",
)  # fmt: skip
"""Of any case. `000000` stands for six zeros or more, whatever parts them; the last two are what
many emulators and phones say of themselves."""

DROPPED = "_dropped"
"""The attribute that keeps what was given and not used, by field."""

_ZEROS = "000000"
_FLAGS = {
    "card_id": "placeholder_card",
    "customer_id": "placeholder_customer",
    "merchant_id": "placeholder_merchant",
    "device_id": "placeholder_device",
    "lat": "no_position",
}


class AbsentWords(NamedTuple):
    """Each word in the cases that are in use; made by `absent_words`."""

    missing: frozenset[str]
    placeholders: frozenset[str]

    def is_missing(self, text: str) -> bool:
        return text in self.missing

    def is_placeholder(self, text: str) -> bool:
        if text in self.placeholders:
            return True
        return text[0] == "0" and self._zeros(text)

    def _zeros(self, text: str) -> bool:
        bare = text.translate(_NO_PARTS)
        return len(bare) >= len(_ZEROS) and not bare.strip("0") and _ZEROS in self.placeholders


_NO_PARTS = str.maketrans("", "", "-:. {}")


def absent_words(
    missing: Iterable[str] = MISSING, placeholders: Iterable[str] = PLACEHOLDERS
) -> AbsentWords:
    return AbsentWords(word_cases(missing), word_cases(placeholders))


def dropped_flags(attributes: Mapping[str, Any]) -> list[str]:
    """Flags of a decision for what cleaning gave no use: placeholder ids, coordinates (0, 0)."""
    dropped = attributes.get(DROPPED)
    if not isinstance(dropped, Mapping):
        return []
    return [flag for field, flag in _FLAGS.items() if field in dropped]


def word_cases(words: Iterable[str]) -> frozenset[str]:
    given = [word.strip() for word in words if word.strip()]
    return frozenset(
        form for word in given for form in (word, word.lower(), word.upper(), word.capitalize())
    ) | frozenset("NaN" for word in given if word.lower() == "nan")


USUAL = absent_words()
