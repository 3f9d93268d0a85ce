"""Champion against challenger: two models on the transactions that both have scored."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sqlalchemy import Engine

from commands.models.registry import registry_of
from domain.events import Outcome
from domain.features.payments import MATURITIES, UNLABELLED
from domain.policy.thresholds import severity
from domain.times import to_rfc3339
from eventlog.port import EventLog
from host.clock import now_us
from inference.evaluation.champion_challenger import ModelScores, PairedScores, comparison
from projections.readmodels.queries.pairs import Pair, pairs

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
    log: EventLog, engine: Engine, champion: str, challenger: str, since: int, until: int
) -> dict[str, Any]:
    """What both have scored, by decision or as a shadow, with since <= event time < until.

    Raises NotFoundError for an unknown model, UnavailableError where a server is away.
    """
    registry = registry_of(log)
    first, second = registry.find(champion), registry.find(challenger)
    now = now_us()
    both = paired_scores(pairs(engine, first.model_hash, second.model_hash, since, until), now)
    named = [{"model_id": each.model_id, "model_hash": each.model_hash} for each in (first, second)]
    report = comparison(both)
    return {"champion": named[0], "challenger": named[1], "as_known_at": to_rfc3339(now), **report}


def paired_scores(found: Iterable[Pair], now: int) -> PairedScores:
    """Some hundred bytes per pair: history has millions."""
    rows = np.fromiter((_row(each, now) for each in found), dtype=_ROW)
    return PairedScores(
        rows["id"].tolist(),
        rows["time"],
        _side(rows, 0),
        _side(rows, 1),
        rows["declined"],
        rows["labels"],
        now,
    )


def _side(rows: Any, number: int) -> ModelScores:
    score, outcome, decided = (rows[name][:, number] for name in ("score", "outcome", "decided"))
    return ModelScores(score, outcome, decided)


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


def _severity(stored: str) -> int:
    outcome: Outcome = stored  # type: ignore[assignment]
    return severity(outcome)


def _labels(pair: Pair, now: int) -> tuple[int, ...]:
    moments = [now, *(pair.timestamp + delay for delay in MATURITIES)]
    return tuple(_as_known(pair, moment) for moment in moments)


def _as_known(pair: Pair, moment: int) -> int:
    values = [value for known, value in pair.labels if known <= moment]
    return values[-1] if values else UNLABELLED
