"""HTTP server of a worker: GET /metrics, /health and /ready, in threads of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, generate_latest

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Or a restarted worker would not get its port for a minute.
    allow_reuse_address = True

    registry: CollectorRegistry
    ready: Callable[[], bool]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # A client that says nothing does not keep its thread.
    timeout = 10

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, generate_latest(self.server.registry))
        elif path == "/health":
            self._answer(200, b"ok\n")
        elif path == "/ready":
            ready = self.server.ready()
            self._answer(200 if ready else 503, b"ready\n" if ready else b"no partitions yet\n")
        else:
            self._answer(404, b"there are /metrics, /health and /ready\n")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", _TEXT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Scrapes are not logged."""


@contextmanager
def telemetry_server(
    host: str, port: int, registry: CollectorRegistry, ready: Callable[[], bool]
) -> Iterator[int]:
    """Serves until the end of the block; gives the port, chosen where 0 was asked for.

    /health answers as long as the process lives: its watchdog ends one that hangs. Raises OSError
    where the port is taken.
    """
    server = _Server((host, port), _Handler)
    server.registry, server.ready = registry, ready
    thread = threading.Thread(target=server.serve_forever, name="telemetry", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
