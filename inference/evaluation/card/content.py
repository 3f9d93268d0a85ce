"""Content of a model card, as JSON types. Its text and plots are in text.py and plots.py."""

from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from domain.times import to_rfc3339
from domain.wording import meaning
from inference.artefacts.store import Artefact
from inference.evaluation.card.calibration import calibration_error, calibration_table
from inference.evaluation.card.importance import importance
from inference.evaluation.card.origin import Origin
from inference.evaluation.catches import catches_of
from inference.evaluation.measures import MeasureSettings, Validated, by_maturity
from inference.frame.frame import Floats

FORMAT = 3
MOST_IMPORTANT = 20


def content(
    artefact: Artefact, validated: Validated, origin: Origin, chosen: MeasureSettings
) -> dict[str, Any]:
    """The card as JSON types alone. Deterministic: it holds no time but those of the data."""
    manifest = artefact.manifest
    labels, scores, weights = labelled(validated)
    bands = calibration_table(labels, scores, weights)
    metrics = by_maturity(validated.frame, validated.scores, manifest.thresholds, chosen)
    return {
        "format": FORMAT,
        "model_id": manifest.model_id,
        "model_hash": artefact.model_hash,
        "feature_set": manifest.feature_set,
        "knows_no_history": manifest.knows_no_history,
        "data": _data(artefact, validated, origin),
        "code": {"version": origin.version, "commit": origin.commit},
        "settings": manifest.facts["settings"],
        "measured_with": asdict(chosen),
        "metrics": metrics,
        "thresholds": _thresholds(artefact, validated),
        "calibration": {"bands": bands, "error": calibration_error(bands)},
        "stability": manifest.facts["stability"],
        "boosting": manifest.facts["boosting"],
        "importance": _importance(artefact, validated),
        "features": [
            {"name": name, "words": meaning(name), "definition": definition}
            for name, definition in zip(
                manifest.feature_names,
                manifest.feature_definitions or [""] * len(manifest.feature_names),
                strict=True,
            )
        ],
    }


def labelled(validated: Validated) -> tuple[Floats, Floats, Floats]:
    """(labels, scores, weights) of the labelled rows."""
    frame = validated.frame
    rows = ~np.isnan(frame.labels)
    return frame.labels[rows], validated.scores[rows], frame.row_weights()[rows]


def _data(artefact: Artefact, validated: Validated, origin: Origin) -> dict[str, Any]:
    facts, times = artefact.manifest.facts, validated.frame.times
    named = ("as_known_at", "first_transaction", "last_transaction", "validated_from")
    counts = ("transactions", "frauds", "genuine")
    return {
        "source": origin.source,
        "topic": origin.topic,
        "positions": list(origin.positions),
        **{name: facts[name] for name in (*named, *counts)},
        "validated_until": to_rfc3339(int(times.max())),
        "validated_transactions": len(validated.frame),
    }


def _thresholds(artefact: Artefact, validated: Validated) -> dict[str, dict[str, Any]]:
    at = artefact.manifest.thresholds
    catches = catches_of(validated.frame, validated.scores, at)
    least = {"decline": at.decline, "step_up": at.step_up, "review": at.review}
    found: dict[str, dict[str, Any]] = msgspec.to_builtins(catches)
    return {name: {"from": least.get(name, at.review), **catch} for name, catch in found.items()}


def _importance(artefact: Artefact, validated: Validated) -> dict[str, Any]:
    found, names = importance(artefact, validated.frame), artefact.manifest.feature_names
    order = np.argsort(-found.over_traffic, kind="stable")
    return {
        "traffic_rows": found.traffic,
        "fraud_rows": found.frauds,
        "features": [
            {
                "name": names[i],
                "words": meaning(names[i]),
                "over_traffic": float(found.over_traffic[i]),
                "over_frauds": float(found.over_frauds[i]),
            }
            for i in order.tolist()
        ],
    }
