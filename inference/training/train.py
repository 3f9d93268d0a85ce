"""Training of a model: split, fit, calibrate, measure, export."""

from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
import numpy as np

from domain.events import Thresholds
from domain.times import to_rfc3339
from inference.artefacts.manifest import FORMAT, Manifest, Network, Probe
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
from inference.serving.graph import as_rows
from inference.training.calibration import platt
from inference.training.export import PROBE_ROWS, export, to_list
from inference.training.fitting.fit import EARLIER, IN_MEMORY, FitSettings, Run, fit, network_for
from inference.training.fitting.knots import knots_for
from inference.training.fitting.loop import logits_of
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
    frame: Frame, settings: TrainSettings, progress: Progress, run: Run = IN_MEMORY
) -> TrainedModel:
    """Deterministic on one machine. Raises InvalidInputError where there are too few labels.

    What is measured, calibrated and chosen follows from fits on the earlier part alone; what is
    exported was then fitted on all labels, as long as the last of them. With several workers each
    makes the same model.
    """
    whole, chosen = frame, settings.fitting
    progress(0.0, f"{len(frame)} transactions: {frame.frauds} fraud, {frame.genuine} genuine")
    frame = after_warm_up(frame)
    frame = frame.of(varying(frame))
    earlier, later = split_by_time(frame)
    network = network_for(earlier, chosen)
    first = _part(progress, 0.0, 0.25)
    fitted = fit(earlier, network, settings.seed, chosen, first, run, EARLIER)
    logits = logits_of(fitted, as_rows(later.vectors))
    network = _calibrated(network, later, logits)
    scores = _as_scored(network, logits)
    thresholds = thresholds_for(scores, later.stands_for, settings.budget)
    metrics = ranking(later, scores, thresholds)
    progress(0.25, f"average precision {metrics['average_precision']:.4f} on the later labels")
    steady = _stability(
        fitted, logits, earlier, later, network, settings, _part(progress, 0.25, 0.7), run
    )
    knots = knots_for(frame.vectors, frame.labels, chosen.bins)
    network = msgspec.structs.replace(network, knots=knots)
    rest = _part(progress, 0.7, 1.0)
    fitted = fit(frame, network, settings.seed, chosen, rest, run)
    facts = _facts(whole, later, settings, metrics) | {"stability": steady}
    recent = last_whole_weeks(frame, int(later.times[-1] - later.times[0]))
    kept = _as_scored(network, logits_of(fitted, as_rows(recent.vectors)))
    manifest = Manifest(
        format=FORMAT,
        model_id="",
        feature_set=frame.feature_set,
        feature_names=list(frame.names),
        feature_definitions=list(frame.definitions),
        baseline=_typical(earlier),
        network=network,
        thresholds=thresholds,
        probe=Probe([], []),
        facts=facts,
        reference=reference_of(recent, kept, later, scores, thresholds),
    )
    files = export(fitted, manifest, _probe_rows(later))
    return TrainedModel(files, thresholds, metrics, Validated(later, scores))


def _part(progress: Progress, begin: float, end: float) -> Progress:
    return lambda done, text: progress(begin + (end - begin) * done, text)


def _stability(
    fitted: Any,
    logits: Floats,
    earlier: Frame,
    later: Frame,
    network: Network,
    settings: TrainSettings,
    progress: Progress,
    run: Run,
) -> dict[str, Any]:
    """What the card says of it, `logits` [later] being those of `fitted`; the other seeds learn as
    the model that is measured did."""
    seeds = [{"seed": settings.seed, **ranks(later, logits)}]
    for number in range(1, settings.more_seeds + 1):
        seed = settings.seed + number
        part = _part(progress, (number - 1) / settings.more_seeds, number / settings.more_seeds)
        other = fit(earlier, network, seed, settings.fitting, part, run, f"seed {seed}")
        seeds.append({"seed": seed, **ranks(later, logits_of(other, as_rows(later.vectors)))})
    random = np.random.default_rng(settings.seed)
    return {
        "seeds": seeds,
        "weeks": by_week(later, logits),
        "groups": worth_of_groups(fitted, earlier, later, random),
    }


def _calibrated(network: Network, later: Frame, logits: Floats) -> Network:
    rows = ~np.isnan(later.labels)
    slope, intercept = platt(logits[rows], later.labels[rows], later.row_weights()[rows])
    return msgspec.structs.replace(network, slope=slope, intercept=intercept)


def _as_scored(network: Network, logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(network.slope * logits + network.intercept, -80, 80)))


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
