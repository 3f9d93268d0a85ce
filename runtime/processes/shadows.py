"""Owns the composition of shadows: the policy that tells of them, their models, their history."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from commands.policy.shadows import ShadowPolicy
from domain.errors import RetraceError, SettingsError
from domain.policy import Shadow
from eventlog.port import EventLog
from projections.shadows.adapters.postgres import PostgresShadows
from projections.shadows.worker import Replayed, ShadowScoring
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.composition.scorers import Load, ModelScorer

logger = logging.getLogger(__name__)

_EVER = 2**62
"""Later than any known time: what was known is bounded by the seam alone."""


def challengers(
    settings: Settings, log: EventLog, engine: Engine, closing: ExitStack
) -> ShadowScoring:
    policy = ShadowPolicy(log)
    closing.callback(policy.close)
    models = ShadowModels(settings, policy, closing)
    return ShadowScoring(PostgresShadows(engine), policy.shadows, models.load, models.replay)


class LiveScorer:
    """Implements projections.shadows.worker.ShadowScorer for one model."""

    def __init__(self, scorer: ModelScorer, policy: ShadowPolicy) -> None:
        self._scorer, self._policy = scorer, policy

    def score(self, feature_set: str, values: Sequence[float | None]) -> float | None:
        features = self._policy.features(feature_set)
        if features is None:
            return None
        try:
            mine = self._scorer.inputs.of(features, values)
        except SettingsError:
            return None
        return self._scorer.value(mine)


class ShadowModels:
    """Loads each model once, and says once why one cannot be loaded. One thread at a time."""

    def __init__(self, settings: Settings, policy: ShadowPolicy, closing: ExitStack) -> None:
        self._settings, self._policy, self._closing = settings, policy, closing
        self._loaded: dict[str, ModelScorer] = {}
        self._refused: set[str] = set()

    def load(self, shadow: Shadow) -> LiveScorer | None:
        try:
            return LiveScorer(self._scorer(shadow.model_hash), self._policy)
        except RetraceError as error:
            self._waits(shadow, error)
            return None

    def replay(self, shadow: Shadow) -> list[Replayed] | None:
        """What the log held below the seam, from the ideal vectors of `retrace backtest`.

        A function of the log up to there alone, whenever it is asked: what comes later changes
        nothing, though an import may state an earlier known time. None, which is said once, for a
        model that takes other features than this version has. Raises LogUnavailableError.
        """
        from domain.features import CATALOGUE
        from domain.features.rows import OFFSET, PARTITION
        from operations.backtest.backtest import scored
        from projections.replay.dataset import dataset
        from runtime.composition.history import open_history

        scorer = self._scorer(shadow.model_hash)
        try:
            scorer.inputs.check(CATALOGUE)
        except SettingsError as error:
            self._waits(shadow, error)
            return None
        logger.info("shadow %s replays history", shadow.model_id)
        with open_history(self._settings, shadow.seam) as (_, history):
            events = history.events()
        made = dataset(events, CATALOGUE, as_known_at=_EVER, begin=shadow.since, threads=1)
        scores = scored(scorer, made, lambda _done, _of: None)
        columns = (
            events.rows[made.at, PARTITION],
            events.rows[made.at, OFFSET],
            made.transaction_ids,
            made.times,
            made.known,
            scores,
        )
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return sorted((Replayed(*row) for row in rows), key=lambda r: (r.partition, r.offset))

    def _waits(self, shadow: Shadow, error: RetraceError) -> None:
        if shadow.model_hash not in self._refused:
            self._refused.add(shadow.model_hash)
            logger.error("shadow %s waits: %s", shadow.model_id, error)

    @cached_property
    def _open(self) -> Load:
        """Opened with the first shadow: a worker without any loads no kernel."""
        from runtime.composition.scorers import open_scorers

        return self._closing.enter_context(open_scorers(self._settings))

    def _scorer(self, model_hash: str) -> ModelScorer:
        found = self._loaded.get(model_hash)
        if found is None:
            found = self._loaded[model_hash] = self._open(model_hash)
        return found
