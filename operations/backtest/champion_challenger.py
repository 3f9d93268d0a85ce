"""Owns putting the question of two models to the read models; the measures are inference's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from commands.models.registry import registry_of
from domain.events import Outcome
from domain.policy import severity
from domain.times import to_rfc3339
from host.clock import now_us
from inference.evaluation.comparison import UNLABELLED, Both, Side, compared
from inference.training.frame.frame import MATURITIES
from projections.readmodels.queries.pairs import Pair, pairs
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from runtime.composition.log import log_of
from runtime.settings import Settings

_PATIENCE_SECONDS = 300
_ROW = np.dtype(
    [
        ("id", object),
        ("time", np.int64),
        ("score", np.float64, 2),
        ("outcome", np.int64, 2),
        ("decided", np.bool_, 2),
        ("declined", np.bool_),
        ("labels", np.int64, 1 + len(MATURITIES)),
    ]
)


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
        both = both_of(found, now)
    finally:
        engine.dispose()
    named = [{"model_id": each.model_id, "model_hash": each.model_hash} for each in models]
    report = compared(both)
    return {"champion": named[0], "challenger": named[1], "as_known_at": to_rfc3339(now), **report}


def both_of(found: Iterable[Pair], now: int) -> Both:
    """Holds some hundred bytes of each: history has millions."""
    rows = np.fromiter((_row(each, now) for each in found), dtype=_ROW)
    return Both(
        rows["id"].tolist(),
        rows["time"],
        _side(rows, 0),
        _side(rows, 1),
        rows["declined"],
        rows["labels"],
        now,
    )


def _side(rows: Any, number: int) -> Side:
    score, outcome, decided = (rows[name][:, number] for name in ("score", "outcome", "decided"))
    return Side(score, outcome, decided)


def _row(pair: Pair, now: int) -> tuple[Any, ...]:
    both = (pair.champion, pair.challenger)
    return (
        pair.transaction_id,
        pair.timestamp,
        tuple(each.score for each in both),
        tuple(_severity(each.outcome) for each in both),
        tuple(each.decided for each in both),
        pair.declined,
        _labels(pair, now),
    )


def _severity(said: str) -> int:
    outcome: Outcome = said  # type: ignore[assignment]
    return severity(outcome)


def _labels(pair: Pair, now: int) -> tuple[int, ...]:
    moments = [now, *(pair.timestamp + delay for delay in MATURITIES)]
    return tuple(_as_known(pair, moment) for moment in moments)


def _as_known(pair: Pair, moment: int) -> int:
    values = [value for known, value in pair.labels if known <= moment]
    return values[-1] if values else UNLABELLED
