"""Traces: the same from every process, whole, and as a receiver of OTLP reads them."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped, unused-ignore]
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from domain.alerts import alert_of
from domain.events import (
    Envelope,
    Event,
    TransactionScored,
    TransactionSubmitted,
    transaction_event_id,
)
from domain.features import Entity
from domain.features.events import feature_event
from eventlog.batch import Batch
from eventlog.codec import encode
from eventlog.port import Position
from eventlog.topics import ALERTS, ENTITIES, POLICY, TRANSACTIONS
from runtime.telemetry.otlp import exporting, request_of
from runtime.telemetry.spans import Span, is_sampled, request_span, span_of, trace_of
from runtime.telemetry.tracer import Tracer
from tests.builders.workers.entities import routed_record
from tests.fakes.events import labelled, scored, submitted

NOW = 1_767_608_000_000_000
STEPS = {"features": 900, "score": 40, "policy": 60}


class Collected(list[Span]):
    def send(self, span: Span) -> None:
        self.append(span)


def _tracer(name: str, share: float = 1.0) -> tuple[Tracer, Collected]:
    collected = Collected()
    return Tracer(name, collected, share, lambda: NOW), collected


def _events() -> tuple[Envelope, Envelope, Envelope]:
    first = _envelope(TransactionSubmitted, submitted().data, mode="score")
    second = _envelope(TransactionScored, scored().data, timings_us=STEPS, outcome="decline")
    second = replace(second, causation_id=first.id)
    alert = alert_of(second, "retrace/decisions", NOW)
    assert alert
    return first, second, alert


def _envelope(kind: type[Event], data: Any, **fields: Any) -> Envelope:
    return Envelope(
        id=transaction_event_id(kind, "t-1"),
        source="retrace/api",
        subject="t-1",
        time=NOW - 5000,
        known_time=NOW - 1000,
        data=replace(data, **fields),
        correlation_id=transaction_event_id(TransactionSubmitted, "t-1"),
    )


async def _append(tracer: Tracer, *events: Envelope) -> None:
    for each in events:
        sent: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        assert tracer.header(TRANSACTIONS, each)
        tracer.appended(each, sent)
        sent.set_result(Position(TRANSACTIONS.name, 0, 0))
    await asyncio.sleep(0)


def _batch(topic: str, *events: Envelope) -> Batch:
    records: list[Any] = [(n, e.subject.encode(), encode(e)) for n, e in enumerate(events)]
    return Batch(topic, 0, records, len(records))


async def test_spans_of_all_processes_are_one_tree_whose_root_is_the_request() -> None:
    first, second, alert = _events()
    api, spans = _tracer("api")
    await _append(api, first, second)
    api.answered(second, 0.003)
    features, folded = _tracer("worker-features")
    event = feature_event(second)
    assert event
    routed = routed_record(event._replace(card_id="c-1"), 0, 1, [Entity.CARD])
    entities = Batch(ENTITIES.name, 0, [(0, None, routed)], 1)
    features.handled([entities], 0.01)
    decisions, agent = _tracer("worker-decisions")
    decisions.handled([_batch(TRANSACTIONS.name, first, second)], 0.01)
    await _append(decisions, alert)
    decisions.handled([_batch(ALERTS.name, alert)], 0.01)
    every = [*spans, *folded, *agent]
    assert {each.trace for each in every} == {trace_of("t-1")}
    ids = {each.id for each in every}
    assert len(ids) == len(every)
    [root] = [each for each in every if not each.parent]
    assert (root.name, root.id) == ("POST /score", request_span("t-1"))
    assert {each.parent for each in every if each.parent} <= ids
    assert {"decide", "features", "score", "policy"} <= {each.name for each in every}
    by_name = {each.name: each for each in every}
    raised = by_name["append fraud.alert.raised.v1"]
    assert raised.parent == by_name["append fraud.transaction.scored.v1"].id
    assert by_name["worker-decisions fraud.alert.raised.v1"].parent == raised.id
    assert by_name["worker-features fold card"].parent == span_of(second.id)


async def test_steps_follow_each_other_as_long_as_the_decision_records() -> None:
    tracer, spans = _tracer("api")
    await _append(tracer, _events()[1])
    found = {each.name: each for each in spans}
    assert found["decide"].end - found["decide"].start == sum(STEPS.values())
    assert [found[step].end - found[step].start for step in STEPS] == list(STEPS.values())
    assert found["score"].start == found["features"].end


async def test_a_label_hangs_on_the_submission_of_its_transaction() -> None:
    first = _events()[0]
    tracer, spans = _tracer("api")
    label = replace(labelled(), correlation_id=first.id)
    await _append(tracer, label)
    assert [each.parent for each in spans] == [span_of(first.id)]


def test_a_retry_is_another_span_below_the_request_that_was_decided() -> None:
    tracer, spans = _tracer("api")
    old = replace(_events()[1], known_time=NOW - 60_000_000)
    tracer.answered(old, 0.003)
    tracer.answered(old, 0.003)
    assert {each.parent for each in spans} == {request_span("t-1")}
    assert len({each.id for each in spans} | {request_span("t-1")}) == 3


@pytest.mark.parametrize("topic", [POLICY, ENTITIES])
def test_records_about_no_transaction_bear_no_header(topic: Any) -> None:
    assert _tracer("api")[0].header(topic, _events()[0]) is None


async def test_what_is_not_in_the_sample_leaves_nothing() -> None:
    first, second, _ = _events()
    tracer, spans = _tracer("api", share=0.0)
    assert tracer.header(TRANSACTIONS, first) is None
    tracer.answered(second, 0.1)
    tracer.handled([_batch(TRANSACTIONS.name, first, second)], 0.1)
    assert spans == []


def test_records_that_nobody_can_read_are_left_to_others() -> None:
    tracer, spans = _tracer("worker-features")
    for topic in (TRANSACTIONS, ALERTS, ENTITIES):
        tracer.handled([Batch(topic.name, 0, [(0, b"t", b"?"), (1, b"t", None)], 2)], 0.1)
    assert spans == []


@given(st.text(min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_greater_share_follows_all_that_a_smaller_one_does(
    name: str, one: float, other: float
) -> None:
    trace, (less, more) = trace_of(name), sorted((one, other))
    assert not is_sampled(trace, less) or is_sampled(trace, more)
    assert is_sampled(trace, 1.0)


def test_a_share_is_about_that_share_of_all() -> None:
    chosen = sum(is_sampled(trace_of(f"t-{number}"), 0.1) for number in range(10_000))
    assert 900 < chosen < 1100


@contextmanager
def _receiver(got: list[Any]) -> Iterator[str]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _parsed(text: bytes) -> Any:
    """By the published definition, which refuses unknown fields; ids are base64 in its JSON."""
    body = json.loads(text)
    for scope in (s for r in body["resourceSpans"] for s in r["scopeSpans"]):
        for span in scope["spans"]:
            for name in ("traceId", "spanId", "parentSpanId"):
                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(body, ExportTraceServiceRequest())


def test_a_receiver_of_otlp_gets_what_was_sent_before_the_end() -> None:
    span = Span("ab" * 16, "cd" * 8, "", "decide", 1, NOW, NOW + 5, {"retrace.path": "full"})
    got: list[Any] = []
    with _receiver(got) as url, exporting(url, {"service.name": "retrace-api"}) as exporter:
        for _ in range(700):
            exporter.send(span)
    assert {path for path, _ in got} == {"/v1/traces"}
    spans = [
        each
        for _, body in got
        for resource in _parsed(body).resource_spans
        for each in resource.scope_spans[0].spans
    ]
    assert len(spans) == 700
    assert spans[0].trace_id.hex() == "ab" * 16
    assert spans[0].end_time_unix_nano - spans[0].start_time_unix_nano == 5000
    assert spans[0].attributes[0].value.string_value == "full"
    assert exporter.dropped == 0


def test_a_field_that_otlp_does_not_know_is_caught() -> None:
    body = request_of([], {"service.name": "x"})
    body["resourceSpans"][0]["scopes"] = []
    with pytest.raises(json_format.ParseError, match="scopes"):
        _parsed(json.dumps(body).encode())


def test_a_collector_that_is_away_costs_spans_and_nothing_else() -> None:
    span = Span("ab" * 16, "cd" * 8, "", "decide", 1, NOW, NOW, {})
    with exporting("http://127.0.0.1:9", {}) as exporter:
        exporter.send(span)
    assert exporter.dropped == 1
