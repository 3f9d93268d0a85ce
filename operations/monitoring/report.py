"""Report of a model's health as plain facts, for JSON and for tables."""

from typing import Any

import msgspec

from domain.times import to_rfc3339
from inference.monitoring.calibration import Calibration, Week
from inference.monitoring.drift import FeatureDrift, ScoreDrift
from inference.monitoring.limits import Limits
from inference.monitoring.report import ModelHealth


def facts_of(health: ModelHealth, limits: Limits) -> dict[str, Any]:
    """What `retrace models health --json` prints."""
    labels = health.labels
    return {
        "model_id": health.model_id,
        "model_hash": health.model_hash,
        "level": health.level,
        "levels": health.levels,
        "since": to_rfc3339(health.since),
        "until": to_rfc3339(health.until),
        "decisions": health.decisions,
        "degraded": health.degraded,
        "sampled": health.sampled,
        "coverage": health.coverage,
        "limits": {
            "psi": [limits.psi_warn, limits.psi_alert],
            "ratio": [limits.ratio_warn, limits.ratio_alert],
            "least_decisions": limits.least,
            "least_frauds": limits.least_frauds,
            "significance": limits.significance,
            "coverage": limits.coverage,
        },
        "features": [_feature(each) for each in health.features],
        "scores": _scores(health.scores) if health.scores else None,
        "labels": labels
        and {
            "days": labels.days,
            "trained": labels.before,
            "least": labels.least,
            "most": labels.most,
            "level": labels.level,
        },
        "calibration": [_calibration(each) for each in health.calibrations],
        "precision": msgspec.to_builtins(health.precision),
        "recall": msgspec.to_builtins(health.recall),
        "weeks": [_week(each, health.until) for each in health.weeks],
    }


def _feature(drift: FeatureDrift) -> dict[str, Any]:
    found, (then, now) = drift.divergence, drift.unknown
    return {
        "feature": drift.feature,
        "psi": found.psi,
        "by_chance": found.by_chance,
        "p_value": found.p_value,
        "jensen_shannon": found.js,
        "unknown_trained": then,
        "unknown_live": now,
        "level": drift.level,
    }


def _scores(drift: ScoreDrift) -> dict[str, Any]:
    found = drift.divergence
    return {
        "psi": found.psi,
        "by_chance": found.by_chance,
        "p_value": found.p_value,
        "jensen_shannon": found.js,
        "kolmogorov_smirnov": drift.ks,
        "wasserstein": drift.wasserstein,
        "mean": drift.mean,
        "level": drift.level,
    }


def _calibration(found: Calibration) -> dict[str, Any]:
    return {
        "days": found.days,
        "weeks": found.weeks,
        "decided": found.decided,
        "declined_censored": found.declined,
        "expected": found.expected,
        "observed": found.observed,
        "ratio": found.ratio,
        "p_value": found.p_value,
        "level": found.level,
    }


def _week(week: Week, now: int) -> dict[str, Any]:
    return {
        "week": to_rfc3339(week.begin),
        "decided": week.decided,
        "declined_censored": week.declined,
        "expected": week.expected,
        "observed": {
            str(days): number if week.mature(days, now) else None
            for days, number in week.observed.items()
        },
    }
