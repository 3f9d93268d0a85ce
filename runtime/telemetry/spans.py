"""Spans of one transaction: their ids follow from its own id and those of its events.

Nothing is handed from process to process: each that meets an event computes the same trace, the
same parent and the same choice of the sample (docs/adr/0042-traces-from-causes.md). A span that is
made twice is the same span.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from domain.events import transaction_event_id
from domain.events.transactions import TransactionScored

INTERNAL, SERVER, PRODUCER, CONSUMER = 1, 2, 4, 5  # as OTLP counts kinds
_LOW = 1 << 64


@dataclass(frozen=True, slots=True)
class Span:
    """Times are microseconds UTC; ids are hexadecimal, `parent` is empty for a root."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    start: int
    end: int
    attributes: Mapping[str, str | int | float] = field(default_factory=dict)


def trace_of(transaction_id: str) -> str:
    """32 hexadecimal digits."""
    return blake2b(transaction_id.encode(), digest_size=16, person=b"retrace.trace").hexdigest()


def is_sampled(trace: str, share: float) -> bool:
    """By its low 64 bits, as OpenTelemetry's ratio sampler: the same choice in every process."""
    return int(trace[16:], 16) < share * _LOW


def span_of(*names: str) -> str:
    """16 hexadecimal digits; of an event by its id, of what is done with it by more names."""
    return blake2b("\0".join(names).encode(), digest_size=8, person=b"retrace.span").hexdigest()


def request_span(transaction_id: str) -> str:
    """The root: the request that was answered with the decision which it made."""
    return span_of("request", transaction_id)


def decision_span(transaction_id: str) -> str:
    return span_of("decide", transaction_event_id(TransactionScored, transaction_id))


def traceparent(trace: str, span: str) -> bytes:
    """The header of W3C Trace Context, for readers of the log that are not ours."""
    return f"00-{trace}-{span}-01".encode()
