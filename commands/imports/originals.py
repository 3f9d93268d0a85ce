"""Owns the text of a rejected row, for the dead letters."""

from __future__ import annotations

import json

from commands.imports.readers.rows import MalformedRow, Row

_LONGEST = 1 << 20


def original_text(row: Row) -> str:
    """JSON of the row as read, by its own column names; of a malformed row what was found."""
    if isinstance(row, MalformedRow):
        return row.original
    try:
        # ASCII alone: undecodable bytes of the file are in it as escapes.
        return json.dumps(row, default=str)[:_LONGEST]
    except (ValueError, RecursionError):
        return repr(row)[:_LONGEST]
