"""Request bodies: read up to a bounded size, whatever content type the client names."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from commands.intake.payload import parse_payload
from domain.errors import InvalidInputError

MOST_BYTES = 256 * 1024
MOST_BATCH_BYTES = 32 * 1024 * 1024


class BodyTooLargeError(InvalidInputError):
    """The body is larger than this resource takes."""


async def read_object(request: Request) -> tuple[Mapping[str, Any], str]:
    """The JSON object and its text. curl names no JSON content type: none is asked for."""
    return parse_payload(await _bytes(request, MOST_BYTES))


async def read_lines(request: Request) -> list[tuple[int, bytes]]:
    """The non-empty lines of an NDJSON body, with their numbers in it."""
    body = await _bytes(request, MOST_BATCH_BYTES)
    return [(n, line) for n, line in enumerate(body.splitlines(), 1) if line.strip()]


async def _bytes(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise BodyTooLargeError("body", f"is larger than {most} bytes")
        parts.append(part)
    return b"".join(parts)
