"""Exploration simulated on payments whose labels are all known: do the estimates hold the truth?

What scores highest is declined, and a share of it passes, chosen as live by a hash of the id; of
the rest the labels are hidden. A candidate declines half as much. What it would miss is estimated
by inverse propensity weighting, and held against what it truly misses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from domain.features.payments import UNLABELLED
from domain.policy.rollout import WHOLE, in_roll_out
from domain.policy.thresholds import SEVERITY
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.estimates.report import estimates
from operations.backtest.policies.figures import quality
from operations.backtest.policies.past import Past

DECLINED, DECLINED_BY_CANDIDATE = 0.004, 0.002
SHARE, DRAWS = 2_000, 50
_DECLINE = SEVERITY.index("decline")
_TOTALS = ("horvitz_thompson", "self_normalised")


def explored(past: Past, made: Decisions) -> dict[str, Any]:
    """Of DRAWS draws how many intervals of missed fraud, and of recall, hold what is true."""
    values = np.quantile(made.scores, [1 - DECLINED, 1 - DECLINED_BY_CANDIDATE]).tolist()
    base, tried = (made.at("tried", review=v, step_up=v, decline=v) for v in values)
    amounts = past.made.payments.amounts
    truth = quality(tried.outcomes, past.made.labels, amounts)
    holds = dict.fromkeys((*_TOTALS, "recall"), 0)
    sums, alone = dict.fromkeys(_TOTALS, 0.0), 0.0
    for draw in range(DRAWS):
        seen = _seen(past, base, draw)
        found = estimates(seen, base, tried)["candidate"]
        for kind in _TOTALS:
            each = found["missed_fraud"][kind]
            holds[kind] += _holds(each, truth["missed_fraud"])
            sums[kind] += each["value"] / DRAWS
        holds["recall"] += _holds(found["recall"], truth["recall"])
        alone += quality(tried.outcomes, seen.made.labels, amounts)["missed_fraud"] / DRAWS
    return {
        "declined": int((base.outcomes == _DECLINE).sum()),
        "draws": DRAWS,
        "missed_fraud": truth["missed_fraud"],
        "missed_fraud_by_labels_alone": round(alone),
        **{f"missed_fraud_{kind}": round(value) for kind, value in sums.items()},
        "hold": holds,
    }


def _seen(past: Past, base: Decisions, draw: int) -> Past:
    """What would be known of it, had the baseline decided and explored."""
    declined = np.flatnonzero(base.outcomes == _DECLINE)
    names = past.made.transaction_ids[declined].tolist()
    passes = [in_roll_out(name, f"exploration/{draw}", SHARE) for name in names]
    hidden = declined[~np.array(passes, dtype=bool)]
    labels, never = past.made.labels.copy(), np.zeros(len(past), dtype=bool)
    labels[hidden], never[hidden] = UNLABELLED, True
    chances = np.ones(len(past))
    chances[declined] = SHARE / WHOLE
    payments = replace(past.made.payments, declined=never)
    return replace(
        past, made=replace(past.made, labels=labels, payments=payments), propensities=chances
    )


def _holds(found: dict[str, Any], truth: float) -> bool:
    low, high = found["interval"]
    return bool(low <= truth <= high)
