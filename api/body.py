"""Owns reading request bodies as JSON, whatever content type the client names; cleans nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fastapi import Request

from domain.errors import InvalidInputError

MOST_BYTES = 256 * 1024
MOST_BATCH_BYTES = 32 * 1024 * 1024


class MalformedBodyError(InvalidInputError):
    """The body is not what JSON or NDJSON allows; nothing of it was taken."""


class BodyTooLargeError(InvalidInputError):
    """The body is larger than this resource takes."""


async def read_object(request: Request) -> tuple[Mapping[str, Any], str]:
    """The JSON object and its text as received. curl names no JSON content type: none is asked."""
    text = _text(await _bytes(request, MOST_BYTES))
    return parse_object(text), text


async def read_lines(request: Request) -> list[str]:
    """The non-empty lines of an NDJSON body."""
    text = _text(await _bytes(request, MOST_BATCH_BYTES))
    return [line for line in text.splitlines() if line.strip()]


def parse_object(text: str) -> Mapping[str, Any]:
    """Numbers with a point become Decimal: amounts stay exact. Raises MalformedBodyError."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError("body", f"is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedBodyError("body", "must be one JSON object")
    return value


async def _bytes(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise BodyTooLargeError("body", f"is larger than {most} bytes")
        parts.append(part)
    return b"".join(parts)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBodyError("body", "is not UTF-8") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
