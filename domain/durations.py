"""Spans of time as people write them: 7d, 12h, 30m, 45s, 2w."""

import re

from domain.errors import InvalidInputError
from domain.times import DAY, HOUR, MINUTE, SECOND

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SPAN = re.compile(r"\s*(\d{1,6})\s*([smhdw])\s*", re.ASCII | re.IGNORECASE)


def parse_duration(text: str, option: str) -> int:
    """Microseconds. Raises InvalidInputError naming the option."""
    if text.strip() == "0":
        return 0
    found = _SPAN.fullmatch(text)
    if not found:
        raise InvalidInputError(option, "expected a number with s, m, h, d or w, such as 7d")
    return int(found.group(1)) * _UNITS[found.group(2).lower()]
