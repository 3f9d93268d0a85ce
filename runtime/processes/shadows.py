"""Owns the composition of shadows: the policy that tells of them, their models, their history."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from domain.errors import IntegrityError, RetraceError, SettingsError, UndecodableError
from domain.events import FeaturesActivated
from domain.policy import NO_SHADOWS, Shadow, Shadows
from eventlog.codec import decode
from eventlog.port import EventLog, Recorded, Tail
from eventlog.topics import POLICY
from projections.shadows.adapters.postgres import PostgresShadows
from projections.shadows.worker import Challengers, Replayed
from runtime.settings import Settings

if TYPE_CHECKING:
    from domain.features import FeatureSet
    from runtime.composition.scorers import Load, ModelScorer

logger = logging.getLogger(__name__)

_EVER = 2**62
"""Later than any known time: what was known is bounded by the seam alone."""


def challengers(
    settings: Settings, log: EventLog, engine: Engine, closing: ExitStack
) -> Challengers:
    policy = ShadowPolicy(log)
    closing.callback(policy.close)
    models = ShadowModels(settings, policy, closing)
    return Challengers(PostgresShadows(engine), policy.told, models.load, models.replay)


class ShadowPolicy:
    """Follows POLICY for shadows and for feature sets. One thread at a time."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._tail: Tail | None = None
        self._shadows = NO_SHADOWS
        self._sets: dict[str, FeatureSet] = {}

    def told(self, patience: float) -> Shadows:
        """The first time all that the topic holds; then what came, within `patience` seconds.

        Raises LogUnavailableError.
        """
        if self._tail is None:
            records = list(self._log.read(POLICY, {0: self._shadows.version + 1}))
            self._hear(records)
            start = records[-1].position.offset + 1 if records else self._shadows.version + 1
            self._tail = self._log.tail(POLICY, {0: start})
        else:
            self._hear(self._tail.poll(timeout=patience))
        return self._shadows

    def features(self, named: str) -> FeatureSet | None:
        """The set of that hash: the one declared here, or one that was ever activated."""
        from domain.features import CATALOGUE

        return CATALOGUE if named == CATALOGUE.hash else self._sets.get(named)

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def _hear(self, records: Sequence[Recorded]) -> None:
        for recorded in records:
            try:
                data = decode(recorded.value).data
                if isinstance(data, FeaturesActivated):
                    self._activated(data)
            except (UndecodableError, IntegrityError):
                # Of a later version: no model here can score with it.
                continue
            self._shadows = self._shadows.apply(data, recorded.position.offset)

    def _activated(self, data: FeaturesActivated) -> None:
        from domain.features import FeatureSet

        self._sets[data.feature_set] = FeatureSet.from_json(data.declarations)


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
