"""Command about overdue cases: appends that nobody dealt with one in time."""

from domain.events import CaseOverdue, Envelope
from eventlog.port import EventLog
from eventlog.topics import ALERTS


async def raise_overdue(log: EventLog, case: CaseOverdue, source: str, known_time: int) -> None:
    """A repetition is void: its id is equal. Raises LogUnavailableError."""
    envelope = Envelope(
        id=case.alert_id,
        source=source,
        subject=case.case_id,
        time=case.due_time,
        known_time=known_time,
        data=case,
        correlation_id=case.case_id,
    )
    await log.append(ALERTS, case.case_id, envelope)
