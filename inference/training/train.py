"""Training of a model: split, fit, calibrate, measure, export."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from domain.events import Thresholds
from domain.times import to_rfc3339
from inference.artefacts.manifest import FORMAT, Calibration, Manifest, Probe
from inference.artefacts.store import MANIFEST
from inference.evaluation.measures import Validated, ranking
from inference.frame.frame import (
    Floats,
    Frame,
    after_warm_up,
    last_whole_weeks,
    split_by_time,
    varying,
)
from inference.frame.progress import Progress
from inference.serving.forest.forest import Forest
from inference.serving.graph import as_rows
from inference.training.calibration import platt
from inference.training.counting import Count, counted
from inference.training.export import PROBE_ROWS, export, to_list
from inference.training.fitting.fit import ALL, EARLIER, Fit, Run, grow, grown
from inference.training.fitting.trees import FitSettings
from inference.training.reference import reference_of
from inference.training.stability import by_week, ranks, worth_of_groups
from inference.training.thresholds import Budget, thresholds_for


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """`files` are those of the artefact; `metrics` are of `validated`, which fitted nothing."""

    files: dict[str, bytes]
    thresholds: Thresholds
    metrics: dict[str, float]
    validated: Validated

    @property
    def manifest(self) -> Manifest:
        return Manifest.from_json(self.files[MANIFEST])


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """`more_seeds` is how many more fits say how much the measures hang on the seed."""

    seed: int = 1
    budget: Budget = field(default_factory=Budget)
    fitting: FitSettings = field(default_factory=FitSettings)
    more_seeds: int = 1


def train(
    frame: Frame, settings: TrainSettings, progress: Progress, run: Run | None = None
) -> TrainedModel:
    """Deterministic. Raises InvalidInputError where there are too few labels.

    What is measured, calibrated and chosen follows from fits on the earlier part alone; what is
    exported was then fitted on all labels.
    """
    run, chosen = run or Run(), settings.fitting
    progress(0.0, f"{len(frame)} transactions: {frame.frauds} fraud, {frame.genuine} genuine")
    fits = fits_of(frame, settings)
    earlier, later = fits.first.frame, fits.later
    forest = grown(fits.first, chosen, _part(progress, 0.0, 0.3), run)
    boosting = counted(forest, later)
    forest = boosting.count.of(forest)
    logits = forest.logits(as_rows(later.vectors))
    calibration = _calibrated(later, logits)
    scores = _as_scored(calibration, logits)
    thresholds = thresholds_for(scores, later.stands_for, settings.budget)
    metrics = ranking(later, scores, thresholds)
    progress(0.3, f"average precision {metrics['average_precision']:.4f} on the later labels")
    rest = _part(progress, 0.3, 0.6)
    steady = _stability(forest, logits, fits, settings, boosting.count, rest, run)
    forest = _grown(fits.last, settings, boosting.count, _part(progress, 0.6, 1.0), run)
    facts = _facts(frame, later, settings, metrics)
    facts |= {"stability": steady, "boosting": asdict(boosting)}
    recent = last_whole_weeks(fits.last.frame, int(later.times[-1] - later.times[0]))
    kept = _as_scored(calibration, forest.logits(as_rows(recent.vectors)))
    manifest = Manifest(
        format=FORMAT,
        model_id="",
        feature_set=frame.feature_set,
        feature_names=list(later.names),
        feature_definitions=list(later.definitions),
        baseline=_typical(earlier),
        calibration=calibration,
        thresholds=thresholds,
        probe=Probe([], []),
        facts=facts,
        reference=reference_of(recent, kept, later, scores, thresholds),
    )
    files = export(forest, manifest, _probe_rows(later))
    return TrainedModel(files, thresholds, metrics, Validated(later, scores))


def grow_part(frame: Frame, settings: TrainSettings, progress: Progress, run: Run) -> None:
    """This worker's trees of all fits of a training, which another worker puts together."""
    fits = fits_of(frame, settings)
    every = [fits.first, *fits.others, fits.last]
    for number, fit in enumerate(every):
        part = _part(progress, number / len(every), (number + 1) / len(every))
        grow(fit, settings.fitting, part, run)


@dataclass(frozen=True, slots=True)
class Fits:
    """Of a training: `first` is measured on `later`, `others` say how much that hangs on the seed,
    and `last` is exported."""

    first: Fit
    others: list[Fit]
    last: Fit
    later: Frame


def fits_of(frame: Frame, settings: TrainSettings) -> Fits:
    frame = after_warm_up(frame)
    frame = frame.of(varying(frame))
    earlier, later = split_by_time(frame)
    seeds = range(settings.seed + 1, settings.seed + 1 + settings.more_seeds)
    return Fits(
        Fit(EARLIER, earlier, settings.seed),
        [Fit(f"seed {seed}", earlier, seed) for seed in seeds],
        Fit(ALL, frame, settings.seed),
        later,
    )


def _part(progress: Progress, begin: float, end: float) -> Progress:
    return lambda done, text: progress(begin + (end - begin) * done, text)


def _stability(
    forest: Forest,
    logits: Floats,
    fits: Fits,
    settings: TrainSettings,
    count: Count,
    progress: Progress,
    run: Run,
) -> dict[str, Any]:
    """What the card says of it, `logits` [later] being those of `forest`; the other seeds learn as
    the model that is measured did."""
    later = fits.later
    seeds = [{"seed": settings.seed, **ranks(later, logits)}]
    for number, fit in enumerate(fits.others):
        part = _part(progress, number / len(fits.others), (number + 1) / len(fits.others))
        other = _grown(fit, settings, count, part, run)
        seeds.append({"seed": fit.seed, **ranks(later, other.logits(as_rows(later.vectors)))})
    random = np.random.default_rng(settings.seed)
    return {
        "seeds": seeds,
        "weeks": by_week(later, logits),
        "groups": worth_of_groups(forest, fits.first.frame, later, random),
    }


def _grown(fit: Fit, settings: TrainSettings, count: Count, progress: Progress, run: Run) -> Forest:
    """The trees that count alone: the first of those that another worker may have grown."""
    enough = replace(settings.fitting, boosted=min(count.boosted, settings.fitting.boosted))
    return count.of(grown(fit, enough, progress, run))


def _calibrated(later: Frame, logits: Floats) -> Calibration:
    rows = ~np.isnan(later.labels)
    slope, intercept = platt(logits[rows], later.labels[rows], later.row_weights()[rows])
    return Calibration(slope, intercept)


def _as_scored(calibration: Calibration, logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-(calibration.slope * logits + calibration.intercept)))


def _facts(
    frame: Frame, later: Frame, settings: TrainSettings, metrics: dict[str, float]
) -> dict[str, Any]:
    return {
        "as_known_at": to_rfc3339(frame.as_known_at),
        "first_transaction": to_rfc3339(int(frame.times.min())),
        "last_transaction": to_rfc3339(int(frame.times.max())),
        "learnt_until": to_rfc3339(int(frame.times[~np.isnan(frame.labels)].max())),
        "simulated": frame.simulated,
        "validated_from": to_rfc3339(int(later.times.min())),
        "transactions": len(frame),
        "frauds": frame.frauds,
        "genuine": frame.genuine,
        "settings": asdict(settings),
        "metrics": metrics,
    }


def _typical(earlier: Frame) -> list[float | None]:
    """Median of each feature over confirmed genuine rows; unknown where most have no value."""
    genuine = earlier.vectors[earlier.labels == 0]
    unknown = np.isnan(genuine).mean(axis=0) > 0.5
    filled = np.where(np.isnan(genuine) & unknown, 0.0, genuine)
    return to_list(np.where(unknown, np.nan, np.nanquantile(filled, 0.5, axis=0, method="nearest")))


def _probe_rows(later: Frame) -> Floats:
    """Evenly over the labelled rows of the later part, fraud and genuine alike."""
    half = PROBE_ROWS // 2
    chosen = [
        rows[np.linspace(0, len(rows) - 1, min(half, len(rows))).astype(int)]
        for rows in (np.flatnonzero(later.labels == value) for value in (1, 0))
    ]
    rows: Floats = later.vectors[np.concatenate(chosen)]
    return rows
