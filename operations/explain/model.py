"""The model's part: what each value added to its log odds, and what is usual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from inference.artefacts.manifest import Manifest
from inference.artefacts.reference import Bins
from inference.artefacts.store import Artefact
from inference.serving.explain import explainer_of
from inference.serving.graph import as_row
from operations.explain.told import Usual

_TAIL = 0.1
"""A reference has the tenths of what is known as edges of its bins."""
_ROUNDED = 1e-6
OpenArtefact = Callable[[str], Artefact]
"""By hash. Raises NotFoundError, IntegrityError or UnavailableError."""


@dataclass(frozen=True, slots=True)
class Insight:
    """By feature of the model."""

    contributions: dict[str, float] = field(default_factory=dict)
    usual: dict[str, Usual] = field(default_factory=dict)


NO_INSIGHT = Insight()


def insight(artefact: Artefact, inputs: Sequence[float | None] | None) -> Insight:
    """`inputs` are the model's own values, None where it did not score."""
    names = artefact.manifest.feature_names
    shares: list[float] = []
    if inputs is not None:
        shares = explainer_of(artefact).contributions(as_row(inputs)).tolist()
    return Insight(dict(zip(names, shares, strict=False)), _usual(artefact.manifest))


def _usual(manifest: Manifest) -> dict[str, Usual]:
    reference = manifest.reference
    if reference is None:
        return {}
    of = zip(manifest.feature_names, reference.features, manifest.baseline, strict=True)
    return {name: usual(bins, typical) for name, bins, typical in of}


def usual(bins: Bins, typical: float | None) -> Usual:
    """Where the middle eight tenths of what is known begin and end."""
    known = sum(bins.shares[:-1])
    if not known or not bins.edges:
        return Usual(None, None, bins.unknown, typical)
    below = list(accumulate(share / known for share in bins.shares[:-1]))
    low = next(i for i, share in enumerate(below) if share >= _TAIL - _ROUNDED)
    last = len(bins.edges)
    high = next((i for i, share in enumerate(below) if share >= 1 - _TAIL - _ROUNDED), last)
    # What exceeds all edges has no greatest value.
    return Usual(
        bins.edges[low] if low < last else bins.edges[-1],
        bins.edges[high] if high < last else None,
        bins.unknown,
        typical,
    )
