"""A model that knows less than the one in force passes the gate only where it was compared."""

from dataclasses import replace

import numpy as np

from domain.events import Thresholds
from domain.times import DAY, to_rfc3339
from inference.evaluation.costs import Costs
from inference.evaluation.gate.comparison import Scored
from inference.evaluation.gate.gate import Candidate, InForce, judged
from inference.evaluation.gate.report import GateLimits, GateReport
from tests.builders.training_frames import synthetic

PAYMENTS = synthetic(3000)
NOISE = np.random.default_rng(2).normal(size=len(PAYMENTS))
SCORED = Scored(
    1 / (1 + np.exp(2 - 4 * np.nan_to_num(PAYMENTS.labels) - 1.5 * NOISE)),
    Thresholds(review=0.3, step_up=0.6, decline=0.8),
)
KNOWN, LATER = PAYMENTS.as_known_at, PAYMENTS.as_known_at + DAY
OLD = InForce("old", SCORED, learnt_until=int(PAYMENTS.times[-1]), as_known_at=LATER)


def gate(against: InForce) -> GateReport:
    return judged(Candidate(PAYMENTS, SCORED, SCORED.scores), against, Costs(), GateLimits())


def test_it_is_refused_where_the_other_has_learnt_from_all_that_it_is_measured_on() -> None:
    report = gate(OLD)
    assert report.reason.startswith("model in force: not comparable with old: 0 frauds")
    assert report.reason.endswith(
        f"it knows labels until {to_rfc3339(KNOWN)} only, old until {to_rfc3339(LATER)}"
    )


def test_one_that_knows_as_much_or_was_compared_is_not_refused() -> None:
    assert gate(replace(OLD, as_known_at=KNOWN)).passed
    assert gate(replace(OLD, learnt_until=None)).passed
