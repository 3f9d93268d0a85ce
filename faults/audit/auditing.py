"""The audit: every check over one body of evidence, in a fixed order."""

from collections.abc import Callable, Iterable

from faults.audit.checks.alerts import check_alerts
from faults.audit.checks.answers import check_answers
from faults.audit.checks.bursts import check_bursts
from faults.audit.checks.in_force import check_labels_in_force
from faults.audit.checks.inbox import check_inbox
from faults.audit.checks.labels import check_labels
from faults.audit.checks.log import check_log
from faults.audit.checks.memories import check_memories
from faults.audit.checks.projections import check_projections
from faults.audit.checks.served import check_served
from faults.audit.checks.states import check_states
from faults.audit.checks.vectors import check_vectors
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Reading, read

CHECKS: tuple[Callable[[Evidence, Reading], Iterable[Finding]], ...] = (
    check_log,
    check_answers,
    check_inbox,
    check_projections,
    check_states,
    check_vectors,
    check_served,
    check_bursts,
    check_alerts,
    check_labels,
    check_labels_in_force,
    check_memories,
)


def audit(evidence: Evidence, reading: Reading | None = None) -> list[Finding]:
    """Pure; equal evidence gives equal findings. Empty where nothing that the evidence shows breaks
    the contract (semantics of the log, decisions, features, labels and projections).

    `reading` is that of the same evidence, where it was made before.
    """
    reading = reading or read(evidence)
    return [finding for check in CHECKS for finding in check(evidence, reading)]
