"""Request bodies: read up to a bounded size, whatever content type the client names.

The bound holds for what came and for what it unpacks to (RFC 9110, 8.4: Content-Encoding).
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from commands.intake.payload import MalformedPayloadError, parse_payload
from domain.errors import InvalidInputError

MOST_BYTES = 256 * 1024
MOST_BATCH_BYTES = 32 * 1024 * 1024
_CODECS = {"gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd"}


class BodyTooLargeError(InvalidInputError):
    """The body is larger than this resource takes."""


async def read_object(request: Request) -> tuple[Mapping[str, Any], str]:
    """The JSON object and its text. curl names no JSON content type: none is asked for."""
    return parse_payload(await read_bytes(request))


async def read_bytes(request: Request) -> bytes:
    """The body as it came, unpacked."""
    return await _bounded(request, MOST_BYTES)


async def read_lines(request: Request) -> list[tuple[int, bytes]]:
    """The non-empty lines of an NDJSON body, with their numbers in it."""
    body = await _bounded(request, MOST_BATCH_BYTES)
    return [(n, line) for n, line in enumerate(body.splitlines(), 1) if line.strip()]


async def _bounded(request: Request, most: int) -> bytes:
    codec = _codec(request)
    parts: list[bytes] = []
    size, more = 0, True
    # By hand: request.stream() costs more than all that is done with the body here.
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise BodyTooLargeError("body", f"is larger than {most} bytes")
        more = message.get("more_body", False)
    body = b"".join(parts)
    return body if codec is None else _unpacked(body, codec, most)


def _codec(request: Request) -> str | None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding not in _CODECS:
        raise HTTPException(
            415,
            f"Content-Encoding {encoding[:40]!r} is not read: send gzip, zstd or none",
            {"Accept-Encoding": "gzip, zstd, identity"},
        )
    return _CODECS[encoding]


def _unpacked(body: bytes, codec: str, most: int) -> bytes:
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), codec) as stream:
            unpacked: bytes = stream.read(most + 1)
    except OSError as error:
        raise MalformedPayloadError("body", f"is not whole {codec}") from error
    if len(unpacked) > most:
        raise BodyTooLargeError("body", f"unpacks to more than {most} bytes")
    return unpacked
