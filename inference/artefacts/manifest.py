"""Manifest: the content of `model.json`, the readable part of an artefact."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from domain.errors import IntegrityError
from domain.events import ModelTrained, Thresholds
from domain.features import CATALOGUE, Inputs
from domain.times import from_rfc3339
from inference.artefacts.reference import Reference

FORMAT = 6
_READ = (4, 5, FORMAT)
"""Without boosted trees, with them, and with leaves that are added in a stated order."""
NO_HISTORY = (
    "it knows no card, customer, merchant, device or address, but each payment alone: map card_id,"
    " customer_id or merchant_id where the data has them"
)
_OF_THE_PAYMENT = frozenset(each.name for each in CATALOGUE.features if each.entity is None)


class Probe(msgspec.Struct, frozen=True):
    """Rows (None is unknown) and the scores that TensorFlow gave them when the model was made."""

    rows: list[list[float | None]]
    scores: list[float]


class Calibration(msgspec.Struct, frozen=True):
    """The score is sigmoid(slope * log odds of the trees + intercept)."""

    slope: float
    intercept: float


class _Format(msgspec.Struct, frozen=True):
    format: int


class Manifest(msgspec.Struct, frozen=True):
    """The model takes vectors of `feature_names`, each of which had its `feature_definitions` when
    it was trained, in the feature set of hash `feature_set`. `baseline` is a typical genuine
    vector, against which scores are explained. `thresholds` are those proposed at training. `facts`
    say how it was trained (ranges, counts, metrics, seed, code); nothing computes with them.
    `reference` is what live traffic is compared with, None in a model made before there was one.
    """

    format: int
    model_id: str
    feature_set: str
    feature_names: list[str]
    feature_definitions: list[str]
    baseline: list[float | None]
    calibration: Calibration
    thresholds: Thresholds
    probe: Probe
    facts: dict[str, Any]
    reference: Reference | None = None

    def to_json(self) -> bytes:
        """Deterministic: equal manifests give equal bytes."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=1)

    @staticmethod
    def from_json(data: bytes) -> Manifest:
        """Raises IntegrityError naming the field that is wrong."""
        try:
            if other := _other_format(data):
                raise IntegrityError(f"model.json: {other}")
            return msgspec.json.decode(data, type=Manifest)
        except msgspec.MsgspecError as error:
            raise IntegrityError(f"model.json: {error}") from error

    @property
    def signature(self) -> dict[str, str]:
        """Each feature that it takes, with the beginning of the SHA-256 of its definition."""
        # Without definitions it takes its own set alone, and that has a hash.
        named = zip(self.feature_names, self.feature_definitions, strict=False)
        return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in named}

    @property
    def adds_in_order(self) -> bool:
        """The graph adds what the leaves say in the order of inference.serving.forest.sums."""
        return self.format >= FORMAT

    @property
    def knows_no_history(self) -> bool:
        """No feature describes an entity: `NO_HISTORY` is to be told before its measures."""
        return _OF_THE_PAYMENT.issuperset(self.feature_names)

    @property
    def inputs(self) -> Inputs:
        return Inputs(self.model_id, self.feature_set, self.feature_names, self.feature_definitions)


def fact_of(manifest: Manifest, model_hash: str) -> ModelTrained:
    """What the log says of an artefact, from what its training wrote into it."""
    facts = manifest.facts
    return ModelTrained(
        model_id=manifest.model_id,
        model_hash=model_hash,
        feature_set=manifest.feature_set,
        as_known_at=from_rfc3339(facts["as_known_at"]),
        transactions=facts["transactions"],
        frauds=facts["frauds"],
        average_precision=facts["metrics"]["average_precision"],
        features=manifest.signature,
    )


def _other_format(data: bytes) -> str | None:
    found = msgspec.json.decode(data, type=_Format).format
    if found in _READ:
        return None
    read = f"{', '.join(map(str, _READ[:-1]))} or {FORMAT}"
    return f"format {found} is not {read}, which this version reads: train the model anew"
