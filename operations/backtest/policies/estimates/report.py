"""Estimates of policies by inverse propensity weighting, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.features.payments import UNLABELLED
from domain.policy.thresholds import SEVERITY
from operations.backtest.policies.deciding import Decisions
from operations.backtest.policies.estimates.weighting import (
    Bools,
    Estimate,
    Floats,
    Sample,
    ratio,
    self_normalised_total,
    total,
)
from operations.backtest.policies.figures import groups_of, quality
from operations.backtest.policies.past import Past
from projections.replay.ruling import Outcomes

_DECLINE = SEVERITY.index("decline")
FEW = 30
"""Explored payments with a label, at least, for an estimate."""


def estimates(past: Past, base: Decisions, made: Decisions) -> dict[str, Any]:
    """Of a candidate and the baseline, over all payments that could have passed.

    `refused` says why there are none, and None stands where there are. Money in minor units.
    """
    counts = _counts(past, made.outcomes)
    found: dict[str, Any] = {
        "baseline": base.name, "candidate": made.name, "explored": counts, "refused": None
    }  # fmt: skip
    if (why := _refused(counts)) is not None:
        return found | {"refused": why}
    within = past.propensities > 0
    sample = Sample(
        past.propensities[within], ~past.made.payments.declined[within], groups_of(past)[within]
    )
    figures = {
        name: _figures(past, each.outcomes, within, sample)
        for name, each in (("baseline", base), ("candidate", made))
    }
    before, after = (_totals(past, each.outcomes, within) for each in (base, made))
    figures["difference"] = {
        name: _both(sample, after[name][0] - before[name][0], after[name][1]) for name in after
    }
    return found | figures


def _counts(past: Past, outcomes: Outcomes) -> dict[str, int]:
    """`declined` are what the live policy would decline: of these `reachable` came under its
    exploration, which let `passed` of them pass; `freed` are what the candidate lets pass."""
    chances, declined = past.propensities, past.made.payments.declined
    would = chances < 1.0
    explored = would & ~declined
    freed = would & (outcomes != _DECLINE)
    labelled = past.made.labels != UNLABELLED
    return {
        "declined": int(would.sum()),
        "reachable": int((would & (chances > 0)).sum()),
        "passed": int(explored.sum()),
        "passed_labelled": int((explored & labelled).sum()),
        "freed": int(freed.sum()),
        "freed_beyond_reach": int((freed & (chances == 0)).sum()),
    }


def _refused(counts: Mapping[str, int]) -> str | None:
    if not counts["reachable"]:
        if not counts["declined"]:
            return "nothing was declined live in this time: no label is censored"
        return (
            f"the live policy explored nothing: of the {counts['declined']:,} payments that it"
            " declined none could have passed, so no payment stands for them. Publish"
            " `exploration` with a share (docs/policy.md)"
        )
    if counts["passed_labelled"] < FEW:
        return (
            f"exploration let {counts['passed']:,} payments pass, of which"
            f" {counts['passed_labelled']:,} are labelled by now: {FEW} are needed. Take a longer"
            " time, or wait for labels"
        )
    return None


def _totals(past: Past, outcomes: Outcomes, within: Bools) -> dict[str, tuple[Floats, Floats]]:
    """By name what each payment within reach adds, and what it could with another label."""
    labels = past.made.labels[within]
    money = past.made.payments.amounts[within].astype(np.float64)
    made = outcomes[within]
    one = np.ones(len(money))
    asked = {
        "missed_fraud": (made == 0, 1, money),
        "caught_fraud": (made > 0, 1, money),
        "genuine_declined": (made == _DECLINE, 0, one),
        "genuine_declined_money": (made == _DECLINE, 0, money),
    }
    return {
        name: (amounts * (concerned & (labels == label)), amounts * concerned)
        for name, (concerned, label, amounts) in asked.items()
    }


def _figures(past: Past, outcomes: Outcomes, within: Bools, sample: Sample) -> dict[str, Any]:
    labels, flagged = past.made.labels[within], outcomes[within] > 0
    fraud, labelled = labels == 1, labels != UNLABELLED
    caught = (fraud & flagged).astype(np.float64)
    shares = {
        "precision": ratio(sample, caught, (labelled & flagged).astype(np.float64)),
        "recall": ratio(sample, caught, fraud.astype(np.float64)),
    }
    return {
        **{name: _both(sample, *each) for name, each in _totals(past, outcomes, within).items()},
        **{name: None if each is None else _plain(each) for name, each in shares.items()},
    }


def _both(sample: Sample, values: Floats, possible: Floats) -> dict[str, Any]:
    return {
        "horvitz_thompson": _plain(total(sample, values, possible)),
        "self_normalised": _plain(self_normalised_total(sample, values, possible)),
    }


def apart(past: Past, base: Decisions, made: Decisions) -> dict[str, Any]:
    """What stands apart because its labels are censored, and the quality of the rest.

    `declined` were declined live; of each policy `passed` are those that it would let pass.
    """
    labels, amounts = past.made.labels, past.made.payments.amounts
    hidden = past.made.payments.declined
    seen = ~hidden
    told: dict[str, Any] = {
        "declined": int(hidden.sum()),
        "declined_money": int(amounts[hidden].sum()),
        "declined_labelled": int((hidden & (labels != UNLABELLED)).sum()),
    }
    for name, each in (("baseline", base), ("candidate", made)):
        passed = hidden & (each.outcomes != _DECLINE)
        told[name] = {
            "passed": int(passed.sum()),
            "passed_money": int(amounts[passed].sum()),
            "passed_labelled": int((passed & (labels != UNLABELLED)).sum()),
            **quality(each.outcomes[seen], labels[seen], amounts[seen]),
        }
    return told


def _plain(found: Estimate) -> dict[str, Any]:
    return {"value": found.value, "variance": found.variance, "interval": list(found.interval)}
