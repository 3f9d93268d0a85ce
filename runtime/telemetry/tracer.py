"""Tracer of a process: spans of what it answers, decides, appends and projects, of a sample."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from domain.errors import UndecodableError
from domain.events import Envelope, TransactionScored, transaction_event_id
from eventlog.batch import Batch
from eventlog.codec import decode
from eventlog.port import Position
from eventlog.routing import KINDS, decode_routed
from eventlog.topics import ALERTS, ENTITIES, TRANSACTIONS, Topic
from runtime.telemetry.spans import (
    CONSUMER,
    INTERNAL,
    PRODUCER,
    SERVER,
    Span,
    decision_span,
    is_sampled,
    request_span,
    span_of,
    trace_of,
    traceparent,
)

# The subject of an event and the key of its record are the transaction's id there.
_ABOUT_TRANSACTIONS = {TRANSACTIONS.name, ALERTS.name}


class Exporter(Protocol):
    def send(self, span: Span) -> None:
        """Neither waits nor raises."""
        ...


class Tracer:
    """`share` of all transactions are followed, in [0, 1]; `clock` is microseconds UTC.

    It is called in the event loop and costs one digest for a transaction that is not followed.
    """

    def __init__(
        self, name: str, exporter: Exporter, share: float, clock: Callable[[], int]
    ) -> None:
        self._name, self._exporter, self._share, self._clock = name, exporter, share, clock

    def followed(self, transaction_id: str) -> str | None:
        """Its trace, if it is in the sample."""
        trace = trace_of(transaction_id)
        return trace if is_sampled(trace, self._share) else None

    def answered(self, decision: Envelope, seconds: float) -> None:
        """POST /score was answered with this decision, `seconds` after it came."""
        trace = self.followed(decision.subject)
        if trace is None:
            return
        end = self._clock()
        start = end - int(seconds * 1e6)
        # A retry is answered with a decision of before: it is no root, and each is another span.
        ours = decision.known_time >= start
        root = request_span(decision.subject)
        found = decision.data
        self._send(
            trace, root if ours else os.urandom(8).hex(), "" if ours else root, "POST /score",
            SERVER, start, end, transaction=decision.subject, outcome=found.outcome,
            path=found.path, model=found.model_id,
        )  # fmt: skip

    def header(self, topic: Topic, envelope: Envelope) -> bytes | None:
        """The traceparent of a record to be appended; None where it is not followed."""
        if topic.name not in _ABOUT_TRANSACTIONS:
            return None
        trace = self.followed(envelope.subject)
        return None if trace is None else traceparent(trace, span_of(envelope.id))

    def appended(self, envelope: Envelope, sent: asyncio.Future[Position]) -> None:
        """A record with a header is on its way; its span ends once it is acknowledged."""
        start = self._clock()
        trace = trace_of(envelope.subject)
        parent = _cause(envelope)
        if isinstance(envelope.data, TransactionScored):
            parent = decision_span(envelope.subject)
            self._decided(trace, envelope, start)
        elif getattr(envelope.data, "mode", "") == "score":
            parent = request_span(envelope.subject)

        def acknowledged(done: asyncio.Future[Position]) -> None:
            failed = done.cancelled() or done.exception() is not None
            self._send(
                trace, span_of(envelope.id), parent, f"append {envelope.type}", PRODUCER, start,
                self._clock(), system="kafka", failed=int(failed),
            )  # fmt: skip

        sent.add_done_callback(acknowledged)

    def _decided(self, trace: str, scored: Envelope, end: int) -> None:
        """The decision and its steps, at the times that it records itself."""
        span, timings = decision_span(scored.subject), scored.data.timings_us
        at = end - sum(timings.values())
        cause = scored.causation_id or ""
        by_request = scored.source.startswith("retrace/api")
        self._send(
            trace, span, request_span(scored.subject) if by_request else span_of(cause), "decide",
            INTERNAL, at, end, outcome=scored.data.outcome, path=scored.data.path,
        )  # fmt: skip
        for step, micros in timings.items():
            self._send(trace, span_of(span, step), span, step, INTERNAL, at, at + micros)
            at += micros

    def handled(self, batches: Sequence[Batch], seconds: float) -> None:
        """Batches of one topic were handled together: a span for each event that is followed."""
        end = self._clock()
        start = end - int(seconds * 1e6)
        records = sum(len(each.records) for each in batches)
        for transaction_id, event, what in self._events(batches):
            trace = trace_of(transaction_id)
            self._send(
                trace, span_of(self._name, what, event), span_of(event), f"{self._name} {what}",
                CONSUMER, start, end, batch=records,
            )  # fmt: skip

    def _events(self, batches: Sequence[Batch]) -> Iterator[tuple[str, str, str]]:
        """(transaction, event, what it is) of the records that are followed."""
        topic = batches[0].topic
        if topic.endswith(ENTITIES.name):
            yield from self._folded(batches)
        elif topic.endswith(tuple(_ABOUT_TRANSACTIONS)):
            for batch in batches:
                for _, key, value in batch.records:
                    if key and value and self.followed(key.decode(errors="replace")):
                        yield from _event(value)

    def _folded(self, batches: Sequence[Batch]) -> Iterator[tuple[str, str, str]]:
        for batch in batches:
            for _, _, value in batch.records:
                try:
                    routed = decode_routed(value or b"")
                except UndecodableError:
                    continue
                for row, transaction_id in routed.decided:
                    if self.followed(transaction_id):
                        scored = transaction_event_id(TransactionScored, transaction_id)
                        for kind, _, rows in routed.entries:
                            if row in rows:
                                yield transaction_id, scored, f"fold {KINDS[kind]}"

    def _send(
        self, trace: str, span: str, parent: str, name: str, kind: int, start: int, end: int,
        **attributes: str | int | float,
    ) -> None:  # fmt: skip
        named = {f"retrace.{name}": value for name, value in attributes.items()}
        self._exporter.send(Span(trace, span, parent, name, kind, start, end, named))


def _cause(envelope: Envelope) -> str:
    """The span of the event that caused it, of a label that of the submission; else none."""
    cause = envelope.causation_id or envelope.correlation_id
    return "" if cause == envelope.id else span_of(cause)


def _event(value: bytes) -> Iterator[tuple[str, str, str]]:
    try:
        envelope = decode(value)
    except UndecodableError:
        return
    yield envelope.subject, envelope.id, envelope.type
