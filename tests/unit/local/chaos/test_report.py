"""Report of `retrace chaos`: what it counts, and when it has passed."""

import pytest

from faults.audit.evidence import Finding
from local.chaos.run import Report, Tried
from operations.features.verify import Proof
from projections.verification.comparing import Compared

GOOD = Tried("kill-api", 1.0, 12.0, [])
LOST = Finding("answers", "t-1: submitted at 6/0 and never decided", "lost")


def different() -> Proof:
    return Proof(compared=[Compared("states", "log", "Redis", values=9, different=1)])


def test_without_a_finding_it_has_passed() -> None:
    assert Report([GOOD]).passed


@pytest.mark.parametrize(
    "report",
    [
        Report([GOOD, Tried("stop-api", 1.0, 12.0, [LOST])]),
        Report([GOOD, Tried("stop-api", 1.0, None, [])]),
        Report([GOOD], after=[LOST]),
        Report([GOOD], proof=different()),
    ],
)
def test_any_harm_is_no_pass(report: Report) -> None:
    assert not report.passed


def test_findings_are_counted_by_their_harm() -> None:
    twice = Finding("answers", "t-2: 2 receipts say that it was new", "doubled")
    report = Report([Tried("kill-api", 1.0, 12.0, [LOST])], after=[twice, LOST])
    assert [report.count(harm) for harm in ("lost", "doubled", "wrong")] == [2, 1, 0]
