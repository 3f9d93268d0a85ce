"""Owns the policy as of one offset of its topic; reading the topic is the caller's affair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from domain.events import ModelPromoted, Path, Thresholds, ThresholdsSet
from domain.policy.thresholds import DEFAULT_THRESHOLDS, FALLBACK_THRESHOLDS


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """All that policy says at `version`, the offset of the last record folded (-1 before any).

    `model` is None until one was promoted: the fallback rules score then.
    """

    version: int = -1
    model: ModelPromoted | None = None
    thresholds: Thresholds = DEFAULT_THRESHOLDS

    def apply(self, data: Any, offset: int) -> PolicySnapshot:
        """The snapshot after one more record; a record at or below `version` changes nothing.

        Facts this version does not know move the version alone, so that it stays the offset.
        """
        if offset <= self.version:
            return self
        if isinstance(data, ModelPromoted):
            return replace(self, version=offset, model=data)
        if isinstance(data, ThresholdsSet):
            return replace(self, version=offset, thresholds=data.thresholds)
        return replace(self, version=offset)

    def thresholds_for(self, path: Path) -> Thresholds:
        """Those set for the model on the full path, those of the fallback rules elsewhere."""
        return self.thresholds if path == "full" else FALLBACK_THRESHOLDS


NO_POLICY = PolicySnapshot()


def fold(records: Iterable[tuple[int, Any]], start: PolicySnapshot = NO_POLICY) -> PolicySnapshot:
    """Applies (offset, data) pairs in the order given, which is that of the log."""
    snapshot = start
    for offset, data in records:
        snapshot = snapshot.apply(data, offset)
    return snapshot
