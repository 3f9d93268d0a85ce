"""Owns putting the question of two models to the read models; the measures are inference's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from domain.events import Outcome
from domain.policy import severity
from domain.times import to_rfc3339
from inference.comparison import UNLABELLED, Both, Side, compared
from inference.registry import registry_of
from inference.training.frame import MATURITIES
from projections.readmodels.connecting import build_engine
from projections.readmodels.pairs import Pair, Said, pairs
from projections.settings import PostgresSettings
from runtime.clock import now_us
from runtime.logs import log_of
from runtime.settings import Settings

_PATIENCE_SECONDS = 300


def compare_live(
    settings: Settings, champion: str, challenger: str, since: int, until: int
) -> dict[str, Any]:
    """What both have scored, by decision or as a shadow, with since <= event time < until.

    Raises NotFoundError for an unknown model, UnavailableError where a server is away.
    """
    log = log_of(settings)
    try:
        registry = registry_of(log)
        models = [registry.find(named) for named in (champion, challenger)]
    finally:
        log.close()
    engine = build_engine(
        PostgresSettings(settings.database_url, statement_timeout_s=_PATIENCE_SECONDS)
    )
    try:
        now = now_us()
        found = pairs(engine, models[0].model_hash, models[1].model_hash, since, until)
    finally:
        engine.dispose()
    named = [{"model_id": each.model_id, "model_hash": each.model_hash} for each in models]
    report = compared(both_of(found, now))
    return {"champion": named[0], "challenger": named[1], "as_known_at": to_rfc3339(now), **report}


def both_of(found: Sequence[Pair], now: int) -> Both:
    return Both(
        [each.transaction_id for each in found],
        np.array([each.timestamp for each in found], dtype=np.int64),
        _side([each.champion for each in found]),
        _side([each.challenger for each in found]),
        np.array([each.declined for each in found], dtype=np.bool_),
        np.array([_labels(each, now) for each in found], dtype=np.int64).reshape(
            len(found), 1 + len(MATURITIES)
        ),
        now,
    )


def _side(said: Sequence[Said]) -> Side:
    return Side(
        np.array([each.score for each in said], dtype=np.float64),
        np.array([_severity(each.outcome) for each in said], dtype=np.int64),
        np.array([each.decided for each in said], dtype=np.bool_),
    )


def _severity(said: str) -> int:
    outcome: Outcome = said  # type: ignore[assignment]
    return severity(outcome)


def _labels(pair: Pair, now: int) -> list[int]:
    moments = [now, *(pair.timestamp + delay for delay in MATURITIES)]
    return [_as_known(pair, moment) for moment in moments]


def _as_known(pair: Pair, moment: int) -> int:
    values = [value for known, value in pair.labels if known <= moment]
    return values[-1] if values else UNLABELLED
