"""Alerts about a model's health, and its rows for /metrics."""

from domain.events import HealthMeasure, ModelAlertRaised
from domain.model_alerts import model_alert_id
from inference.monitoring.catches import Comparison
from inference.monitoring.limits import Limits
from inference.monitoring.report import ModelHealth
from operations.monitoring.automatic_rollback import BY_LABELS
from projections.readmodels.queries.results import MeasuredHealth

_MOST_FEATURES = 20
_GREATEST = 1e6
"""Stands for a ratio to nothing, which JSON has no number for."""


def alerts_of(
    health: ModelHealth, limits: Limits, now: int, after: str = ""
) -> list[ModelAlertRaised]:
    """One per measure over its alert limit; ids are equal on one day, so that repeats are void.

    `after` says what is done about a model that labels show to be bad.
    """
    return [
        ModelAlertRaised(
            alert_id=model_alert_id(health.model_hash, measure, now),
            model_id=health.model_id,
            model_hash=health.model_hash,
            measure=measure,
            value=min(value, _GREATEST),
            limit=limit,
            summary=f"{summary}; {after}" if after and measure in BY_LABELS else summary,
            features=_features(health) if measure == "features" else [],
            since=health.since,
            until=health.until,
        )
        for measure, (value, limit, summary) in _over(health, limits).items()
    ]


def _features(health: ModelHealth) -> list[str]:
    over = [each.feature for each in health.features if each.level == "alert"]
    return over[:_MOST_FEATURES]


def _over(health: ModelHealth, limits: Limits) -> dict[HealthMeasure, tuple[float, float, str]]:
    found: dict[HealthMeasure, tuple[float, float, str]] = {}
    levels = health.levels
    if levels["features"] == "alert":
        worst = health.features[0]
        number = sum(each.level == "alert" for each in health.features)
        found["features"] = (
            worst.divergence.psi,
            limits.psi_alert,
            f"{number} of {len(health.features)} features drifted, most of all {worst.feature}",
        )
    if health.scores and levels["scores"] == "alert":
        psi = health.scores.divergence.psi
        found["scores"] = (psi, limits.psi_alert, "scores are not distributed as when trained")
    if health.labels and levels["labels"] == "alert":
        labels = health.labels
        summary = (
            f"{labels.least:.3%} to {labels.most:.3%} is fraud, {labels.before:.3%} when trained"
        )
        found["labels"] = (_ratio(labels.nearest, labels.before), limits.ratio_alert, summary)
    if levels["calibration"] == "alert":
        judged = health.judged
        summary = (
            f"{judged.observed} frauds where scores promised {judged.expected:.1f},"
            f" {judged.days} days after {judged.decided:,} decisions"
        )
        found["calibration"] = (
            _ratio(judged.observed, judged.expected), limits.ratio_alert, summary,
        )  # fmt: skip
    if health.precision and levels["precision"] == "alert":
        found["precision"] = _compared(
            health.precision, "of the payments reviewed or stepped up is fraud", limits
        )
    if health.recall and levels["recall"] == "alert":
        found["recall"] = _compared(
            health.recall, "of the known frauds not declined was reviewed or stepped up", limits
        )
    return found


def _compared(found: Comparison, what: str, limits: Limits) -> tuple[float, float, str]:
    open_too = f" ({found.open} without a label among them)" if found.open else ""
    expected = found.expected
    summary = (
        f"{found.live.share:.1%} {what}{open_too}, {expected.share:.1%} expected"
        f" ({expected.low:.1%} to {expected.high:.1%}): {found.payments} in decisions of"
        f" {found.days} days"
    )
    return found.ratio, limits.ratio_alert, summary


def _ratio(live: float, expected: float) -> float:
    return live / expected if expected else _GREATEST


def rows_of(health: ModelHealth, now: int) -> list[MeasuredHealth]:
    """What /metrics shows; a row without a feature is about the whole model."""

    def row(measure: str, value: float | None, level: str, feature: str = "") -> MeasuredHealth:
        return MeasuredHealth(
            model_hash=health.model_hash,
            measure=measure,
            feature=feature,
            model_id=health.model_id,
            value=value,
            level=level,
            measured_time=now,
        )

    levels, scores, labels = health.levels, health.scores, health.labels
    return [
        row("health", None, health.level),
        row("decisions", float(health.decisions), "unknown"),
        row("score_psi", scores.divergence.psi if scores else None, levels["scores"]),
        row("score_ks", scores.ks if scores else None, levels["scores"]),
        row("fraud_least", labels.least if labels else None, levels["labels"]),
        row("fraud_most", labels.most if labels else None, levels["labels"]),
        row("calibration_ratio", health.judged.ratio, levels["calibration"]),
        *(
            row(name, part, levels[measure])
            for measure, found in (("precision", health.precision), ("recall", health.recall))
            if found
            for name, part in (
                (measure, found.live.share),
                (f"{measure}_expected", found.expected.share),
            )
        ),
        *(
            row("psi", each.divergence.psi, each.level, each.feature)
            for each in health.features
            if each.level != "unknown"
        ),
    ]
