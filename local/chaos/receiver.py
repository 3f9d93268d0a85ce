"""Receiver of alerts: notes the key of every request, and when it came."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from faults.audit.evidence import Post
from host.clock import now_us
from host.threads import SYSTEM


@contextmanager
def alerts_received() -> Iterator[tuple[str, list[Post]]]:
    """Its URL, and the requests so far; each of them is taken."""
    posts: list[Post] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            posts.append(Post(key=self.headers["Idempotency-Key"], at=now_us()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        joined = SYSTEM.start(server.serve_forever, "alerts")
        try:
            yield f"http://127.0.0.1:{server.server_port}/alerts", posts
        finally:
            server.shutdown()
            joined(10.0)
