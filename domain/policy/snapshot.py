"""Policy snapshot: the fold of the POLICY topic up to one offset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from domain.events import (
    ExplorationPublished,
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    Path,
    PolicyPublished,
    Route,
    RoutesPublished,
    RulesPublished,
    Suppression,
    SuppressionsPublished,
    Thresholds,
    ThresholdsPublished,
    ThresholdsSet,
)
from domain.policy.exploration import Arm, arm_of
from domain.policy.lists.published import NO_LISTS, Lists
from domain.policy.rollout import in_roll_out
from domain.policy.rules.ruling import RuleSet
from domain.policy.thresholds import DEFAULT_THRESHOLDS, FALLBACK_THRESHOLDS

Model = ModelPromoted | ModelRolledOut


@dataclass(frozen=True, slots=True)
class Champion:
    """A model that was promoted, with the last thresholds that applied to it."""

    model: Model
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """All that policy says at `version`, the offset of the last record folded (-1 before any).

    `model` is the champion, None until one was promoted: the fallback rules score then. `before`
    is the stack of earlier champions: a promotion pushes the present one, and a rollback
    (`took_back`) pops down to the model that it names. `roll_out` is the challenger's share.
    `thresholds` are the model's, and `published` those that override them, whichever model it is.
    `rules` is None where none were published, or all were withdrawn. `routes` are those of alerts.
    `exploration` is None where nothing is explored.
    """

    version: int = -1
    model: Model | None = None
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    before: tuple[Champion, ...] = ()
    roll_out: ModelRolledOut | None = None
    rules: RuleSet | None = None
    routes: tuple[Route, ...] = ()
    lists: Lists = NO_LISTS
    published: Thresholds | None = None
    suppressions: tuple[Suppression, ...] = ()
    exploration: Arm | None = None

    def apply(self, data: Any, offset: int) -> PolicySnapshot:
        """The snapshot after one more record; a record at or below `version` changes nothing.

        An event of another kind changes the version alone, so that it stays the offset.
        """
        if offset <= self.version:
            return self
        if isinstance(data, PolicyPublished):
            after = self
            for each in data.sets():
                after = replace(after.apply(each, offset), version=self.version)
            return replace(after, version=offset)
        if isinstance(data, ModelPromoted):
            return self._promoted(data, offset)
        if isinstance(data, ModelRolledOut):
            return replace(self, version=offset, roll_out=self._started(data))
        if isinstance(data, ModelRetired) and self.roll_out is not None:
            ended = data.model_hash == self.roll_out.model_hash
            return replace(self, version=offset, roll_out=None if ended else self.roll_out)
        if isinstance(data, ThresholdsSet):
            return replace(self, version=offset, thresholds=data.thresholds)
        if isinstance(data, RulesPublished):
            published = RuleSet(offset, tuple(data.rules), tuple(data.lists))
            return replace(self, version=offset, rules=published if data.rules else None)
        if isinstance(data, RoutesPublished):
            return replace(self, version=offset, routes=tuple(data.routes))
        if isinstance(data, ThresholdsPublished):
            return replace(self, version=offset, published=data.thresholds)
        if isinstance(data, SuppressionsPublished):
            return replace(self, version=offset, suppressions=tuple(data.suppressions))
        if isinstance(data, ExplorationPublished):
            return replace(self, version=offset, exploration=arm_of(data.share, data.salt))
        return replace(self, version=offset, lists=self.lists.apply(data, offset))

    def of(self, transaction_id: str) -> PolicySnapshot:
        """The policy of this transaction: this one, or `challenger` if the roll-out takes the id.

        A pure function of both, so that replaying a decision at its version picks the same model.
        """
        challenger = self.challenger
        if challenger is None or self.roll_out is None:
            return self
        out = self.roll_out
        return challenger if in_roll_out(transaction_id, out.model_hash, out.share) else self

    @property
    def challenger(self) -> PolicySnapshot | None:
        """The same version, with the model and thresholds of the roll-out; None without one."""
        if self.roll_out is None:
            return None
        return replace(self, model=self.roll_out, thresholds=self.roll_out.thresholds)

    def thresholds_for(self, path: Path) -> Thresholds:
        """Published ones, else the model's, on the full path; of fallback rules on any other."""
        if path != "full":
            return FALLBACK_THRESHOLDS
        return self.published or self.thresholds

    def _promoted(self, data: ModelPromoted, offset: int) -> PolicySnapshot:
        # What is not about models stays, so that it is not named here.
        return replace(
            self,
            version=offset,
            model=data,
            thresholds=data.thresholds or self.thresholds,
            before=self._earlier(data),
            roll_out=None,
        )

    def _earlier(self, data: ModelPromoted) -> tuple[Champion, ...]:
        if self.model is None or self.model.model_hash == data.model_hash:
            return self.before
        hashes = [each.model.model_hash for each in self.before]
        if data.took_back and data.model_hash in hashes:
            # The champions between have been retired since.
            return self.before[: len(hashes) - 1 - hashes[::-1].index(data.model_hash)]
        return (*self.before, Champion(self.model, self.thresholds))

    def _started(self, data: ModelRolledOut) -> ModelRolledOut | None:
        is_champion = self.model is not None and self.model.model_hash == data.model_hash
        return data if data.share > 0 and not is_champion else None


NO_POLICY = PolicySnapshot()


def fold(records: Iterable[tuple[int, Any]], start: PolicySnapshot = NO_POLICY) -> PolicySnapshot:
    """Applies (offset, data) pairs in the order given, which is that of the log."""
    snapshot = start
    for offset, data in records:
        snapshot = snapshot.apply(data, offset)
    return snapshot
