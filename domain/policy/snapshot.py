"""Owns the policy as of one offset of its topic; reading the topic is the caller's affair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from domain.events import (
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    Path,
    Thresholds,
    ThresholdsSet,
)
from domain.policy.rollout import falls_to
from domain.policy.thresholds import DEFAULT_THRESHOLDS, FALLBACK_THRESHOLDS

Model = ModelPromoted | ModelRolledOut


@dataclass(frozen=True, slots=True)
class InForce:
    """A model that was in force, with the thresholds that judged it last."""

    model: Model
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """All that policy says at `version`, the offset of the last record folded (-1 before any).

    `model` is None until one was promoted: the fallback rules score then. `before` is the stack
    beneath it: a promotion lays the model in force upon it, and one that `took_back` takes the
    stack down to the model that it names. `roll_out` is the challenger that decides a share.
    """

    version: int = -1
    model: Model | None = None
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    before: tuple[InForce, ...] = ()
    roll_out: ModelRolledOut | None = None

    def apply(self, data: Any, offset: int) -> PolicySnapshot:
        """The snapshot after one more record; a record at or below `version` changes nothing.

        Facts this version does not know move the version alone, so that it stays the offset.
        """
        if offset <= self.version:
            return self
        if isinstance(data, ModelPromoted):
            return self._promoted(data, offset)
        if isinstance(data, ModelRolledOut):
            return replace(self, version=offset, roll_out=self._started(data))
        if isinstance(data, ModelRetired) and self.roll_out is not None:
            ended = data.model_hash == self.roll_out.model_hash
            return replace(self, version=offset, roll_out=None if ended else self.roll_out)
        if isinstance(data, ThresholdsSet):
            return replace(self, version=offset, thresholds=data.thresholds)
        return replace(self, version=offset)

    def of(self, transaction_id: str) -> PolicySnapshot:
        """What decides this transaction: itself, or `challenging` where it falls to the roll-out.

        A pure function of both, so that replaying a decision at its version picks the same model.
        """
        challenging = self.challenging
        if challenging is None or self.roll_out is None:
            return self
        out = self.roll_out
        return challenging if falls_to(transaction_id, out.model_hash, out.share) else self

    @property
    def challenging(self) -> PolicySnapshot | None:
        """The same version, with the model and thresholds of the roll-out; None without one."""
        if self.roll_out is None:
            return None
        return replace(self, model=self.roll_out, thresholds=self.roll_out.thresholds)

    def thresholds_for(self, path: Path) -> Thresholds:
        """Those set for the model on the full path, those of the fallback rules elsewhere."""
        return self.thresholds if path == "full" else FALLBACK_THRESHOLDS

    def _promoted(self, data: ModelPromoted, offset: int) -> PolicySnapshot:
        return PolicySnapshot(
            version=offset,
            model=data,
            thresholds=data.thresholds or self.thresholds,
            before=self._beneath(data),
        )

    def _beneath(self, data: ModelPromoted) -> tuple[InForce, ...]:
        if self.model is None or self.model.model_hash == data.model_hash:
            return self.before
        hashes = [each.model.model_hash for each in self.before]
        if data.took_back and data.model_hash in hashes:
            # What lies between has been retired since, and is passed over.
            return self.before[: len(hashes) - 1 - hashes[::-1].index(data.model_hash)]
        return (*self.before, InForce(self.model, self.thresholds))

    def _started(self, data: ModelRolledOut) -> ModelRolledOut | None:
        in_force = self.model is not None and self.model.model_hash == data.model_hash
        return data if data.share > 0 and not in_force else None


NO_POLICY = PolicySnapshot()


def fold(records: Iterable[tuple[int, Any]], start: PolicySnapshot = NO_POLICY) -> PolicySnapshot:
    """Applies (offset, data) pairs in the order given, which is that of the log."""
    snapshot = start
    for offset, data in records:
        snapshot = snapshot.apply(data, offset)
    return snapshot
