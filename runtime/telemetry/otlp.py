"""Exporter of spans: OTLP over HTTP with JSON, in a thread of its own.

What cannot be sent is dropped and counted: nothing waits for a collector.
Protocol: OpenTelemetry specification, OTLP/HTTP; ids are hexadecimal in its JSON.
"""

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from runtime.telemetry.spans import Span

logger = logging.getLogger(__name__)

_QUEUED, _AT_ONCE = 4096, 512
_GATHER_SECONDS = 1.0


class OtlpExporter:
    """Sends to `endpoint`/v1/traces as the service of that name; `dropped` counts lost spans."""

    def __init__(self, endpoint: str, resource: dict[str, str], client: httpx.Client) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._resource, self._client = resource, client
        self._queue: queue.Queue[Span | None] = queue.Queue(_QUEUED)
        self.dropped = 0

    def send(self, span: Span) -> None:
        try:
            self._queue.put_nowait(span)
        except queue.Full:
            self.dropped += 1

    def run(self) -> None:
        """Until `close`; then what was given before is sent."""
        ended = False
        while not ended:
            spans, ended = self._gathered()
            if spans:
                self._post(spans)

    def close(self) -> None:
        self._queue.put(None)

    def _gathered(self) -> tuple[list[Span], bool]:
        first = self._queue.get()
        spans: list[Span] = []
        while first is not None:
            spans.append(first)
            if len(spans) == _AT_ONCE:
                return spans, False
            try:
                first = self._queue.get(timeout=_GATHER_SECONDS)
            except queue.Empty:
                return spans, False
        return spans, True

    def _post(self, spans: Sequence[Span]) -> None:
        try:
            self._client.post(self._url, json=request_of(spans, self._resource)).raise_for_status()
        except httpx.HTTPError as error:
            self.dropped += len(spans)
            logger.debug("%d spans are dropped: %s", len(spans), error)


@contextmanager
def exporting(endpoint: str, resource: dict[str, str]) -> Iterator[OtlpExporter]:
    """Runs one; what it holds at the end is sent within a few seconds."""
    with httpx.Client(timeout=2.0) as client:
        exporter = OtlpExporter(endpoint, resource, client)
        thread = threading.Thread(target=exporter.run, name="traces", daemon=True)
        thread.start()
        try:
            yield exporter
        finally:
            exporter.close()
            thread.join(3.0)


def request_of(spans: Sequence[Span], resource: dict[str, str]) -> dict[str, Any]:
    """An ExportTraceServiceRequest in OTLP's JSON."""
    scope = {"scope": {"name": "retrace"}, "spans": [_span(each) for each in spans]}
    about = {"attributes": _attributes(resource)}
    return {"resourceSpans": [{"resource": about, "scopeSpans": [scope]}]}


def _span(of: Span) -> dict[str, Any]:
    return {
        "traceId": of.trace,
        "spanId": of.id,
        "parentSpanId": of.parent,
        "name": of.name,
        "kind": of.kind,
        # 64-bit integers are strings in the JSON of protobuf.
        "startTimeUnixNano": str(of.start * 1000),
        "endTimeUnixNano": str(of.end * 1000),
        "attributes": _attributes(of.attributes),
    }


def _attributes(of: Any) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in of.items()]


def _value(of: str | int | float) -> dict[str, Any]:
    if isinstance(of, int):
        return {"intValue": str(of)}
    return {"doubleValue": of} if isinstance(of, float) else {"stringValue": of}
