"""An answer in one write: uvicorn writes its head and then its body, and each wakes the client."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD, _SIZED = b"HTTP/1.1 ", b"\r\ncontent-length: "


class OneWrite(HttpToolsProtocol):
    """uvicorn's protocol over a transport that holds the head of an answer until its body comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._joining = _Joining(cast(asyncio.Transport, transport))
        super().connection_made(cast(asyncio.Transport, self._joining))

    def on_response_complete(self) -> None:
        # An answer to HEAD has no body.
        self._joining.flush()
        super().on_response_complete()


class _Joining:
    """Holds heads with a length alone: a stream's first piece may be long in coming."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._head = transport, b""

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD) and _SIZED in data:
            self._head = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
