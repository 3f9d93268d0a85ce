"""True evidence has no findings, whatever may happen in it."""

from domain.times import DAY
from faults.audit.auditing import audit
from faults.audit.evidence import Evidence
from tests.builders.evidence import System


def test_of_true_evidence_the_audit_says_nothing(evidence: Evidence) -> None:
    assert audit(evidence) == []


def test_a_system_in_which_nothing_happened_is_sound() -> None:
    assert audit(System().evidence()) == []


def test_an_id_that_is_used_again_after_the_horizon_is_sound() -> None:
    system = System()
    system.pay(3, "review")
    system.now += 401 * DAY
    system.pay(3, "review")
    assert audit(system.evidence()) == []
