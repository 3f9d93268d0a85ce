"""The CloudEvents 1.0 envelope and the rule for event ids; bytes are in eventlog/codec.py."""

from typing import Any

from domain.events.registry import Event, wire_type
from domain.records import record

# Events of an import carry the known time that the import states, and so does what follows.
IMPORT_SOURCE = "retrace/import/"


@record(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One fact with its context.

    `time` (when it happened in the world) and `known_time` (when our appending process learnt of
    it) are microseconds UTC. `subject` is the transaction id, or the thing a policy is about.
    """

    id: str
    source: str
    subject: str
    time: int
    known_time: int
    data: Any
    correlation_id: str
    causation_id: str | None = None

    @property
    def imported(self) -> bool:
        """True where the known time was stated by an import, not read from a clock."""
        return self.source.startswith(IMPORT_SOURCE)

    @property
    def type(self) -> str:
        return wire_type(type(self.data))


def transaction_event_id(event: type[Event], transaction_id: str) -> str:
    """Equal for every attempt to state this fact of this transaction."""
    return f"{event.NAME}/{transaction_id}"


def label_event_id(event: type[Event], transaction_id: str, reporter: str, reference: str) -> str:
    """The transaction is part of it: one reference about two transactions is two labels."""
    return f"{event.NAME}/{transaction_id}/{reporter}/{reference}"


def caused_event_id(causation_id: str, event: type[Event], ordinal: int = 0) -> str:
    """For facts that follow from another one: alerts, deliveries, dead letters."""
    return f"{causation_id}/{event.NAME}/{ordinal}"
