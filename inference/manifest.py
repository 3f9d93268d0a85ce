"""Owns the content of `model.json`, the readable half of an artefact; files are artefacts.py's."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.errors import IntegrityError
from domain.events import Thresholds

FORMAT = 1


class Probe(msgspec.Struct, frozen=True):
    """Rows (None is unknown) and the scores that TensorFlow gave them when the model was made."""

    rows: list[list[float | None]]
    scores: list[float]


class Network(msgspec.Struct, frozen=True):
    """What rebuilds the graph around the weights; see inference.training.network."""

    knots: list[list[float]]
    hidden: list[int]
    slope: float
    intercept: float


class Manifest(msgspec.Struct, frozen=True):
    """`feature_set` is the hash of the catalogue whose vectors the model takes, in the order of
    `feature_names`. `baseline` is a typical genuine vector, against which scores are explained.
    `thresholds` are those proposed at training. `facts` tell how it was trained (ranges, counts,
    metrics, seed, code); nothing computes with them.
    """

    format: int
    model_id: str
    feature_set: str
    feature_names: list[str]
    baseline: list[float | None]
    network: Network
    thresholds: Thresholds
    probe: Probe
    facts: dict[str, Any]

    def to_json(self) -> bytes:
        """Deterministic: equal manifests give equal bytes."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=1)

    @staticmethod
    def from_json(data: bytes) -> Manifest:
        """Raises IntegrityError naming the field that is wrong."""
        try:
            manifest = msgspec.json.decode(data, type=Manifest)
        except msgspec.MsgspecError as error:
            raise IntegrityError(f"model.json: {error}") from error
        if manifest.format != FORMAT:
            raise IntegrityError(
                f"model.json: format {manifest.format} is not {FORMAT}, which this version reads"
            )
        return manifest
