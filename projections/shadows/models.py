"""Shadow models: loaded once each, they score live decisions and history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from domain.errors import RetraceError, SettingsError
from domain.features import CATALOGUE, FeatureSet, Inputs
from domain.policy.shadows import Shadow
from projections.shadows.worker import Replayed

if TYPE_CHECKING:
    from eventlog.events_table import EventTable

logger = logging.getLogger(__name__)

_EVER = 2**62
"""Later than any known time: what was known is bounded by the seam alone."""


class Kernel(Protocol):
    """The kernel that serves, one row at a time, with the bits of a decision."""

    @property
    def inputs(self) -> Inputs: ...

    def value(self, values: Sequence[float | None]) -> float: ...


class ServedVectorScorer:
    """Implements projections.shadows.worker.ShadowScorer for one model.

    `features` gives the feature set of a hash, None where it is unknown.
    """

    def __init__(self, kernel: Kernel, features: Callable[[str], FeatureSet | None]) -> None:
        self._kernel, self._features = kernel, features

    def score(self, feature_set: str, values: Sequence[float | None]) -> float | None:
        features = self._features(feature_set)
        if features is None:
            return None
        try:
            inputs = self._kernel.inputs.of(features, values)
        except SettingsError:
            return None
        return self._kernel.value(inputs)


class ShadowModels:
    """One thread at a time. That a model cannot be loaded is logged once.

    `load` loads a model by its hash; `events` gives what the log holds below the offsets of a seam.
    """

    def __init__(
        self,
        load: Callable[[str], Kernel],
        features: Callable[[str], FeatureSet | None],
        events: Callable[[Sequence[int]], EventTable],
    ) -> None:
        self._load, self._features, self._events = load, features, events
        self._loaded: dict[str, Kernel] = {}
        self._refused: set[str] = set()

    def load(self, shadow: Shadow) -> ServedVectorScorer | None:
        try:
            return ServedVectorScorer(self._kernel(shadow.model_hash), self._features)
        except RetraceError as error:
            self._log_once(shadow, error)
            return None

    def replay(self, shadow: Shadow) -> list[Replayed] | None:
        """Scores what the log held below the seam, from ideal vectors as in `retrace backtest`.

        A function of the log up to there alone, whenever it is asked: what comes later changes
        nothing, though an import may state an earlier known time. None, which is logged once, for a
        model that takes other features than this version has. Raises LogUnavailableError.
        """
        from domain.features.kernel.row_layout import OFFSET, PARTITION
        from projections.replay.dataset import dataset

        kernel = self._kernel(shadow.model_hash)
        try:
            kernel.inputs.check(CATALOGUE)
        except SettingsError as error:
            self._log_once(shadow, error)
            return None
        logger.info("shadow %s replays history", shadow.model_id)
        events = self._events(shadow.seam)
        made = dataset(events, CATALOGUE, as_known_at=_EVER, begin=shadow.since, threads=1)
        rows = zip(
            events.rows[made.at, PARTITION].tolist(),
            events.rows[made.at, OFFSET].tolist(),
            made.transaction_ids.tolist(),
            made.times.tolist(),
            made.known.tolist(),
            # One by one, as decisions are: another batch size could give other bits.
            (kernel.value(row) for row in made.values[:, kernel.inputs.places(made.features)]),
            strict=True,
        )
        return sorted((Replayed(*row) for row in rows), key=lambda r: (r.partition, r.offset))

    def _log_once(self, shadow: Shadow, error: RetraceError) -> None:
        if shadow.model_hash not in self._refused:
            self._refused.add(shadow.model_hash)
            logger.error("shadow %s waits: %s", shadow.model_id, error)

    def _kernel(self, model_hash: str) -> Kernel:
        found = self._loaded.get(model_hash)
        if found is None:
            found = self._loaded[model_hash] = self._load(model_hash)
        return found
