"""Receivers of alerts: HTTP servers on this machine that hold a contract, and fail when told."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from domain.events import Route, RouteKind
from tests.builders.alerts.contracts import CONTRACTS, PATHS, SECRETS, RefusedError

Trouble = int | tuple[int, str] | str
"""A status; a status with Retry-After; `silent`, `cut` (before the answer), or `lost`: taken, and
cut then."""


class Receiver:
    """`bodies` are all that it took, `keys` how often under each key; a repeat changes nothing.

    A `journal` has a line of each message that it took, before it says so.
    """

    def __init__(self, kind: RouteKind, port: int = 0, journal: Path | None = None) -> None:
        self._journal = journal
        self.kind, self.trouble = kind, list[Trouble]()
        self.bodies: list[Any] = []
        self.keys: dict[str, int] = {}
        self.refused: list[str] = []
        self.silence = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.answer(self, body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATHS[self.kind]}"

    def route(self, **fields: Any) -> Route:
        named = fields.pop("name", self.kind.replace("webhook", "hook"))
        url = "" if self.kind in ("slack", "teams") else self.url
        secret = "" if self.kind == "alertmanager" else "IT"
        return Route(name=named, to=self.kind, **{"url": url, "secret": secret} | fields)

    @property
    def secrets(self) -> dict[str, str]:
        return {"IT": SECRETS.get(self.kind, self.url)}

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble == "silent":
            self.silence.wait(30)
        if trouble in ("silent", "cut"):
            self._cut(request)
            return
        if isinstance(trouble, int | tuple):
            status, wait = trouble if isinstance(trouble, tuple) else (trouble, "")
            self._say(request, status, "", wait)
            return
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            taken = CONTRACTS[self.kind](request.path, headers, body)
        except (RefusedError, KeyError, ValueError, TypeError) as error:
            self.refused.append(repr(error))
            self._say(request, getattr(error, "status", 400), repr(error))
            return
        key = str(len(self.bodies)) if taken.key is None else taken.key
        if self._journal is not None:
            with self._journal.open("a") as lines:
                lines.write(json.dumps({"key": key, "body": json.loads(body)}) + "\n")
        if key not in self.keys:
            self.bodies.append(json.loads(body))
        self.keys[key] = self.keys.get(key, 0) + 1
        if trouble == "lost":
            self._cut(request)
        else:
            self._say(request, taken.status, taken.answer)

    def _cut(self, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        with suppress(OSError):
            request.connection.shutdown(socket.SHUT_RDWR)

    def _say(
        self, request: BaseHTTPRequestHandler, status: int, answer: str, wait: str = ""
    ) -> None:
        request.send_response(status)
        if wait:
            request.send_header("Retry-After", wait)
        request.send_header("Content-Length", str(len(answer.encode()) if status != 204 else 0))
        request.end_headers()
        request.wfile.write(answer.encode() if status != 204 else b"")

    def stop(self) -> None:
        self.silence.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def receiving(kind: RouteKind, port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(kind, port)
    try:
        yield receiver
    finally:
        receiver.stop()
