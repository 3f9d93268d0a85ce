"""Cursors of paging: a place in a fixed order, bound to the filters of the query."""

import base64
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from domain.errors import InvalidInputError
from domain.times import to_datetime

MOST = 1000
"""Rows of one page."""


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a page, in the order (time, key)."""

    time: int
    key: str


def check_limit(limit: int) -> None:
    """Raises InvalidInputError."""
    if not 1 <= limit <= MOST:
        raise InvalidInputError("limit", f"expected 1 to {MOST}")


def write_cursor(place: Place, question: object) -> str:
    """`question` is what was asked for (filters), as a frozen dataclass."""
    packed = msgspec.json.encode([place.time, place.key, _digest(question)])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(cursor: str, question: object) -> Place:
    """Raises InvalidInputError for a cursor that is not ours or belongs to another question."""
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        time, key, digest = msgspec.json.decode(packed, type=tuple[int, str, str])
        to_datetime(time)
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise InvalidInputError("cursor", "not a cursor: leave it out to start again") from error
    if digest != _digest(question) or "\0" in key:
        raise InvalidInputError("cursor", "belongs to other filters: leave it out to start again")
    return Place(time, key)


def _digest(question: object) -> str:
    return sha256(repr(question).encode()).hexdigest()[:12]
