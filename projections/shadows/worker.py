"""Shadow scoring in a worker: history first, then decision after decision.

It runs beside the projection of decisions and for its partitions, in one thread of its own; models,
policy and replay are given as callables. Each step is written with its position, so that a kill
between two of them neither leaves out a transaction nor scores one twice.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from domain.errors import FencedError
from domain.policy.shadows import Shadow, Shadows
from domain.policy.thresholds import outcome
from projections.shadows.port import ServedDecision, ShadowScore, ShadowStore, Unscored

logger = logging.getLogger(__name__)

_AT_ONCE = 500
_HISTORY_AT_ONCE = 5_000


class ShadowScorer(Protocol):
    """The kernel that serves, at batch size one: the bits are those of a decision."""

    def score(self, feature_set: str, values: Sequence[float | None]) -> float | None:
        """None where the set of that hash is unknown, or lacks what the model asks for."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """A transaction of history, scored from the ideal vector of its own moment."""

    partition: int
    offset: int
    transaction_id: str
    timestamp: int
    known_time: int
    score: float


ActiveShadows = Callable[[float], Shadows]
"""The active shadows; waits so many seconds at most for a change."""
Load = Callable[[Shadow], ShadowScorer | None]
"""None while the model cannot be loaded, which is logged."""
Replay = Callable[[Shadow], Sequence[Replayed] | None]
"""All below the seam from `since` on, in the order of (partition, offset); None as of Load."""


@dataclass(frozen=True, slots=True)
class _Mine:
    """The partitions of one assignment; by shadow and partition how far each has come in it."""

    partitions: frozenset[int]
    places: dict[tuple[int, int], int]


class ShadowScoring:
    """`own` is called on each assignment of partitions; `watch` runs beside it."""

    def __init__(
        self,
        store: ShadowStore,
        active: ActiveShadows,
        load: Load,
        replay: Replay,
        idle: float = 0.5,
    ) -> None:
        self._store, self._active, self._load, self._replay = store, active, load, replay
        self._idle = idle
        self._mine = _Mine(frozenset(), {})

    def own(self, partitions: set[int]) -> None:
        """Takes these partitions over, and drops all others."""
        self._mine = _Mine(frozenset(partitions), {})

    async def watch(self) -> None:
        """Raises UnavailableError (call it again) or FencedError."""
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, thread_name_prefix="shadows")
        try:
            worked = True
            while True:
                worked = await loop.run_in_executor(
                    thread, self.step, 0.0 if worked else self._idle
                )
        finally:
            # A running replay must not keep the worker from ending; it would be done again.
            thread.shutdown(wait=False, cancel_futures=True)

    def step(self, patience: float = 0.0) -> bool:
        """Goes on with every shadow by one batch; False where nothing was left to do."""
        mine = self._mine
        try:
            shadows = self._active(patience).by_model.values()
            reached = self._store.reached() if shadows and mine.partitions else {}
            worked = [self._go_on(shadow, mine, reached) for shadow in shadows]
            return any(worked)
        except FencedError:
            # Revoked meanwhile, or taken over by a successor: only the second is an error.
            if mine is self._mine:
                raise
            return True

    def _go_on(self, shadow: Shadow, mine: _Mine, reached: Mapping[int, int]) -> bool:
        at = {p: self._place(shadow, p, mine) for p in sorted(mine.partitions)}
        early = {p for p, place in at.items() if place < shadow.seam[p]}
        late = {p for p, place in at.items() if place < _end(shadow, p, reached)} - early
        scorer = self._load(shadow) if early | late else None
        if scorer is None:
            return False
        replayed = self._history(shadow, early, mine) if early else False
        for partition in sorted(late):
            self._live(shadow, scorer, partition, mine)
        return replayed or bool(late)

    def _place(self, shadow: Shadow, partition: int, mine: _Mine) -> int:
        key = (shadow.number, partition)
        if key not in mine.places:
            mine.places[key] = self._store.begin(shadow, partition)
        return mine.places[key]

    def _live(self, shadow: Shadow, scorer: ShadowScorer, partition: int, mine: _Mine) -> None:
        start = mine.places[shadow.number, partition]
        found, following = self._store.decisions(partition, start, _AT_ONCE)
        end = shadow.end(partition)
        if end is not None:
            found, following = [d for d in found if d.offset < end], min(following, end)
        scores = [
            _of_decision(shadow, scorer, each)
            for each in found
            if shadow.since is None or each.timestamp >= shadow.since
        ]
        if scores or following == end:
            self._store.write(shadow, partition, scores, following)
        mine.places[shadow.number, partition] = following

    def _history(self, shadow: Shadow, early: set[int], mine: _Mine) -> bool:
        """False where its model cannot score history."""
        made = self._replay(shadow)
        if made is None:
            return False
        for partition in sorted(early):
            start, seam = mine.places[shadow.number, partition], shadow.seam[partition]
            due = [each for each in made if each.partition == partition and each.offset >= start]
            for some, following in _pieces(due, seam):
                if mine is not self._mine:
                    return True
                scores = [_of_history(shadow, each) for each in some]
                self._store.write(shadow, partition, scores, following)
                mine.places[shadow.number, partition] = following
        logger.info("shadow %s has scored %d transactions of history", shadow.model_id, len(made))
        return True


def _end(shadow: Shadow, partition: int, reached: Mapping[int, int]) -> int:
    """How far the shadow can go by now."""
    there, end = reached.get(partition, 0), shadow.end(partition)
    return there if end is None else min(there, end)


def _pieces(made: Sequence[Replayed], seam: int) -> Iterator[tuple[Sequence[Replayed], int]]:
    """Each with the offset after it; the last one ends at the seam."""
    for first in range(0, max(len(made), 1), _HISTORY_AT_ONCE):
        last = first + _HISTORY_AT_ONCE >= len(made)
        some = made[first : first + _HISTORY_AT_ONCE]
        yield some, seam if last else some[-1].offset + 1


def _of_decision(shadow: Shadow, scorer: ShadowScorer, decision: ServedDecision) -> ShadowScore:
    score: float | None = None
    unscored: Unscored | None = None
    if decision.served:
        score = scorer.score(decision.feature_set, decision.features)
    if score is None:
        unscored = "other_features" if decision.served else "not_served"
    return ShadowScore(
        decision.transaction_id,
        decision.offset,
        decision.timestamp,
        decision.known_time,
        score,
        None if score is None else outcome(score, shadow.thresholds),
        unscored,
        "served",
    )


def _of_history(shadow: Shadow, made: Replayed) -> ShadowScore:
    return ShadowScore(
        made.transaction_id,
        made.offset,
        made.timestamp,
        made.known_time,
        made.score,
        outcome(made.score, shadow.thresholds),
        None,
        "ideal",
    )
