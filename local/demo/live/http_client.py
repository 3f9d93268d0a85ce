"""HTTP client with one open connection: it sends a request and reads the answer.

A general client takes longer per request than a decision, so that it would be what is measured.
"""

import asyncio
from urllib.parse import urlsplit

from domain.errors import UnavailableError

_SECONDS = 10.0
_BROKEN = (OSError, EOFError, ValueError, IndexError, asyncio.IncompleteReadError)


class Connection:
    """Connects on the first request and again after a failure. One request at a time."""

    def __init__(self, base_url: str, timeout: float = _SECONDS) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "localhost", parts.port or 80
        self._timeout = timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """(status, body). Raises UnavailableError; the request may still have been served."""
        try:
            return await asyncio.wait_for(self._exchange(path, body), self._timeout)
        except (TimeoutError, *_BROKEN) as error:
            self.close()
            what = str(error) or type(error).__name__
            raise UnavailableError("api", what) from error

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in answer[1:] if ": " in line)
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return int(answer[0].split(" ", 2)[1]), content
