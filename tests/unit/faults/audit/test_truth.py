"""True evidence has no findings, whatever may happen in it."""

from faults.audit.auditing import audit
from faults.audit.evidence import Evidence
from tests.builders.evidence import System


def test_of_true_evidence_the_audit_says_nothing(evidence: Evidence) -> None:
    assert audit(evidence) == []


def test_a_system_in_which_nothing_happened_is_sound() -> None:
    assert audit(System().evidence()) == []
