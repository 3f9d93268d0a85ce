"""Query parameters that several lists share."""

from typing import Annotated

from fastapi import Query

from domain.errors import InvalidInputError
from domain.times import from_rfc3339

Since = Annotated[str | None, Query(description="RFC 3339, included.")]
Until = Annotated[str | None, Query(description="RFC 3339, excluded.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
# No row has such a key: PostgreSQL's text holds no NUL.
Key = Annotated[str | None, Query(pattern=r"^[^\x00]*$")]


def moment(field: str, text: str | None) -> int | None:
    """Microseconds UTC. Raises InvalidInputError."""
    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise InvalidInputError(field, f"{text!r} is not an RFC 3339 time") from error
