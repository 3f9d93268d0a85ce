"""Repeated names in a JSON object, which parsers resolve each in its own way (RFC 8259)."""

import json
import re
from typing import Any

_NAME_END = re.compile(rb'"\s*:')
_LONGEST_SHOWN = 60


class _RepeatedError(ValueError):
    pass


def repeated_key(text: bytes, parsed: dict[str, Any]) -> str | None:
    """A name that one object of `text` has twice; `parsed` is what the text was read as."""
    # Each name in the text is found at least once: as many as were kept means that none was lost.
    if len(_NAME_END.findall(text)) == _names(parsed):
        return None
    try:
        json.loads(text, object_pairs_hook=_single)
    except _RepeatedError as error:
        return str(error)
    return None


def _names(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(
            _names(each) for each in value.values() if type(each) in (dict, list)
        )
    return sum(_names(each) for each in value if type(each) in (dict, list))


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _RepeatedError(name[:_LONGEST_SHOWN])
            seen.add(name)
    return found
