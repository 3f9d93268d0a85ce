"""Repeated names in a JSON object, which parsers resolve each in its own way (RFC 8259)."""

import json
import re
from typing import Any

from domain.cleaning.attributes import RepeatedKeyError, single_keys

_NAME_END = re.compile(rb'"\s*:')
_LONGEST_SHOWN = 60


def repeated_key(text: bytes, parsed: dict[str, Any]) -> str | None:
    """A name that one object of `text` has twice; `parsed` is what the text was read as."""
    # Each name in the text is found at least once: as many as were kept means that none was lost.
    if len(_NAME_END.findall(text)) == _names(parsed):
        return None
    try:
        json.loads(text, object_pairs_hook=single_keys)
    except RepeatedKeyError as error:
        return error.key[:_LONGEST_SHOWN]
    return None


def _names(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(
            _names(each) for each in value.values() if type(each) in (dict, list)
        )
    return sum(_names(each) for each in value if type(each) in (dict, list))
