"""Shadow models: which models shadow others, folded from the POLICY topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.events import ModelShadowed, ShadowEnded, Thresholds


@dataclass(frozen=True, slots=True)
class Shadow:
    """One shadow: `number` is the offset of the event that began it.

    A transaction of event time `since` or later (any, where None) is scored exactly once: from
    replayed history where its record lies below `seam`, from the served vector from there to
    before `until`. Both are offsets per partition; `until` is None while the shadow is active.
    """

    number: int
    model_id: str
    model_hash: str
    thresholds: Thresholds
    seam: tuple[int, ...]
    since: int | None = None
    until: tuple[int, ...] | None = None

    def start(self, partition: int) -> int:
        """The first offset that it scores."""
        return self.seam[partition] if self.since is None else 0

    def end(self, partition: int) -> int | None:
        """The offset at which it ends, None while it is active."""
        return None if self.until is None else self.until[partition]


@dataclass(frozen=True, slots=True)
class Shadows:
    """The last shadow of each model by its hash, as of `version` of the POLICY topic."""

    version: int = -1
    by_model: Mapping[str, Shadow] = field(default_factory=dict)

    def apply(self, data: Any, offset: int) -> Shadows:
        """After one more record; a record at or below `version` changes nothing."""
        if offset <= self.version:
            return self
        if isinstance(data, ModelShadowed):
            return self._with(_begun(data, offset), offset)
        if isinstance(data, ShadowEnded):
            found = self.by_model.get(data.model_hash)
            if found is not None and found.until is None:
                return self._with(replace(found, until=tuple(data.until)), offset)
        return replace(self, version=offset)

    def active(self, model_hash: str) -> Shadow | None:
        """The shadow of the model, None where there is none or it was ended."""
        found = self.by_model.get(model_hash)
        return found if found is not None and found.until is None else None

    def _with(self, shadow: Shadow, offset: int) -> Shadows:
        return Shadows(offset, {**self.by_model, shadow.model_hash: shadow})


def _begun(data: ModelShadowed, offset: int) -> Shadow:
    return Shadow(
        offset, data.model_id, data.model_hash, data.thresholds, tuple(data.seam), data.since
    )


NO_SHADOWS = Shadows()
