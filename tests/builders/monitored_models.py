"""A model with a reference, and decisions that it made, for tests of its health."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine

from domain.events import Envelope, Thresholds
from domain.features import CATALOGUE
from domain.policy.thresholds import outcome
from domain.times import DAY, MINUTE
from inference.artefacts.manifest import FORMAT, Calibration, Manifest, Probe
from inference.artefacts.reference import Catch, Catches
from inference.frame.frame import Floats, Frame
from inference.proportions import Proportion
from inference.training.reference import reference_of
from projections.readmodels.adapters.postgres import transactions_projection
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    labelled,
    project_all,
    scored,
    submitted,
    transaction,
)

ROWS = 4000
MODEL = "a" * 64
_CAUGHT = Catch(0.014, Proportion(0.4, 0.35, 0.45, 300.0), Proportion(0.7, 0.65, 0.75, 300.0))
CATCHES = Catches(_CAUGHT, _CAUGHT, _CAUGHT, _CAUGHT)
"""Of what is reviewed or stepped up 40 % is fraud, which is 70 % of the fraud not declined."""
THRESHOLDS = Thresholds(review=0.5, step_up=0.7, decline=0.9)


def traffic(rows: int, seed: int) -> tuple[Floats, Floats]:
    """(vectors [rows, all features], scores [rows]) of ordinary payments, values missing."""
    random = np.random.default_rng(seed)
    vectors = random.gamma(2.0, 3.0, (rows, len(CATALOGUE)))
    vectors[random.random(vectors.shape) < 0.05] = np.nan
    return vectors, random.beta(0.3, 10, rows)


def monitored_model(**given: Any) -> Manifest:
    """A model of all features, trained on ordinary payments with calibrated scores."""
    vectors, scores = traffic(ROWS, 1)
    labels = (np.random.default_rng(2).random(ROWS) < scores).astype(float)
    definitions = tuple(feature.definition for feature in CATALOGUE.features)
    frame = Frame(
        vectors, labels, np.arange(ROWS), np.ones(ROWS), CATALOGUE.names, CATALOGUE.hash, ROWS,
        definitions,
    )  # fmt: skip
    reference = reference_of(frame, scores, frame, scores, THRESHOLDS)
    fields: dict[str, Any] = {
        "format": FORMAT,
        "model_id": "m1",
        "feature_set": CATALOGUE.hash,
        "feature_names": list(CATALOGUE.names),
        "feature_definitions": list(definitions),
        "baseline": [None] * len(CATALOGUE),
        "calibration": Calibration(1.0, 0.0),
        "thresholds": THRESHOLDS,
        "probe": Probe([], []),
        "facts": {},
        "reference": msgspec.structs.replace(reference, catches=CATCHES),
    }
    return Manifest(**fields | given)


def decided(
    vectors: Any, scores: Iterable[float], first: int = NOON, prefix: str = "t", **changes: Any
) -> list[Envelope]:
    """A submission and a decision per row, a minute and a card apart, by THRESHOLDS."""
    facts: list[Envelope] = []
    for number, (vector, score) in enumerate(zip(vectors, scores, strict=True)):
        at = first + number * MINUTE
        x = transaction(f"{prefix}-{number}", at, card_id=f"card-{number}")
        event = scored(x, outcome(score, THRESHOLDS), float(score))
        values = [None if np.isnan(value) else float(value) for value in vector]
        given = {"feature_set": CATALOGUE.hash, "features": values} | changes
        data = dataclasses.replace(event.data, **given)
        facts += [submitted(x), dataclasses.replace(event, data=data)]
    return facts


def frauds(keys: Iterable[str], delay: int = 5 * DAY) -> list[Envelope]:
    """A chargeback of each, that long after noon."""
    return [labelled(key, 1, NOON + delay) for key in keys]


def project(engine: Engine, *facts: Envelope, log: CheckedLog | None = None) -> CheckedLog:
    """The log to which the facts were appended, and which was then projected."""
    log = log or CheckedLog()
    log.append(*facts)
    project_all(transactions_projection(engine), log)
    return log
