"""Health of a model: drift, label drift and calibration with their levels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.errors import NotFoundError
from domain.features.payments import MATURITIES
from domain.times import DAY
from inference.artefacts.manifest import Manifest
from inference.monitoring.calibration import Calibration, LabelDrift, Week, calibration, label_drift
from inference.monitoring.catches import Comparison, LivePayments, precision, recall
from inference.monitoring.drift import FeatureDrift, ScoreDrift, feature_drifts, score_drift
from inference.monitoring.limits import Level, Limits, worst


@dataclass(frozen=True, slots=True)
class Live:
    """Traffic of a model from `since` to `until` (known time, microseconds UTC).

    `decisions` were made under it then, `degraded` of them by fallback or without its features; the
    others reach over `span` microseconds. `vectors` [n, d] and `scores` [n] are an even sample of
    these, in the order of the model's features.
    `weeks` are the oldest first, and reach further back.
    """

    since: int
    until: int
    decisions: int
    degraded: int
    span: int
    vectors: Any
    scores: Any
    weeks: Sequence[Week]
    payments: LivePayments

    @property
    def coverage(self) -> float:
        """Share of the window that the decisions reach over."""
        return self.span / (self.until - self.since)

    def enough(self, limits: Limits) -> bool:
        """True where drift can have a level."""
        return len(self.scores) >= limits.least and self.coverage >= limits.coverage


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """One model at one time. `features` is empty and others None where there is too little data.

    `calibrations` are by maturity; the one at `judged_days` gives the level.
    """

    model_id: str
    model_hash: str
    since: int
    until: int
    decisions: int
    degraded: int
    sampled: int
    coverage: float
    features: list[FeatureDrift]
    scores: ScoreDrift | None
    labels: LabelDrift | None
    calibrations: list[Calibration]
    precision: Comparison | None
    recall: Comparison | None
    weeks: list[Week] = field(default_factory=list)
    judged_days: int = 30

    @property
    def levels(self) -> dict[str, Level]:
        """By measure."""
        return {
            "features": worst([each.level for each in self.features]),
            "scores": self.scores.level if self.scores else "unknown",
            "labels": self.labels.level if self.labels else "unknown",
            "calibration": self.judged.level,
            "precision": self.precision.level if self.precision else "unknown",
            "recall": self.recall.level if self.recall else "unknown",
        }

    @property
    def level(self) -> Level:
        return worst(list(self.levels.values()))

    @property
    def judged(self) -> Calibration:
        return next(each for each in self.calibrations if each.days == self.judged_days)

    @property
    def drifted(self) -> list[FeatureDrift]:
        """Features over a limit, the greatest drift first."""
        return [each for each in self.features if each.level in ("warn", "alert")]


def health(
    manifest: Manifest, model_hash: str, live: Live, limits: Limits, judged_days: int = 30
) -> ModelHealth:
    """Raises NotFoundError for a model without a reference."""
    reference = manifest.reference
    if reference is None:
        raise NotFoundError(
            "reference of model", f"{manifest.model_id} (made by an earlier version: train anew)"
        )
    weeks, now, enough = live.weeks, live.until, live.enough(limits)
    names = manifest.feature_names
    return ModelHealth(
        manifest.model_id,
        model_hash,
        live.since,
        live.until,
        live.decisions,
        live.degraded,
        len(live.scores),
        live.coverage,
        feature_drifts(reference, names, live.vectors, limits) if enough else [],
        score_drift(reference, live.scores, limits) if enough else None,
        label_drift(reference.fraud_share, weeks, judged_days, now, limits),
        [calibration(weeks, maturity // DAY, now, limits) for maturity in MATURITIES],
        precision(reference.catches, live.payments, judged_days, limits),
        recall(reference.catches, live.payments, limits),
        list(weeks),
        judged_days,
    )
