"""Dead-letter event: a record could not be read or folded."""

from dataclasses import dataclass

from domain.events.registry import Event, event


@event("fraud.record.dead-lettered")
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeadLettered(Event):
    """A record was set aside by `reader`. `sealed` is the original value, encrypted, base64.

    `origin` is the topic, file or endpoint it came from; `partition` and `offset` (or the line
    of a file, with partition 0) tell where in it. `field` names what was wrong, where known.
    """

    reader: str
    origin: str
    partition: int
    offset: int
    reason: str
    sealed: str
    field: str | None = None
