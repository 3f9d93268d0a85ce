"""Pairs of champion and challenger: which transactions both have scored, and with what."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.events import Envelope, Outcome
from domain.times import DAY, HOUR
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.pairs import Pair, Said, pairs
from projections.readmodels.storage.connecting import transaction as in_transaction
from tests.builders.read_model_facts import (
    NOON,
    CheckedLog,
    imported,
    labelled,
    project_all,
    scored,
    submitted,
    transaction,
)

MINE, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def log(engine: Engine) -> CheckedLog:
    with in_transaction(engine) as connection:
        connection.execute(text("TRUNCATE shadow_scores"))
    return CheckedLog()


def decided(key: str, time: int, model_hash: str, outcome: Outcome = "approve") -> list[Envelope]:
    x = transaction(key, time)
    made = scored(x, outcome, 0.25)
    return [submitted(x), replace(made, data=replace(made.data, model_hash=model_hash))]


def shadowed(engine: Engine, model_hash: str, **scores: float | None) -> None:
    with in_transaction(engine) as connection:
        for key, score in scores.items():
            connection.execute(
                text(
                    "INSERT INTO shadow_scores SELECT :model, :key, :score, 'review', NULL,"
                    " 'served', timestamp, known_time, source_topic, 0, 1"
                    " FROM transactions WHERE transaction_id = :key"
                ),
                {"model": model_hash, "key": key, "score": score},
            )


def asked(engine: Engine, since: int = 0, until: int = NOON + 99 * DAY) -> list[Pair]:
    return list(pairs(engine, MINE, OTHER, since, until))


def test_decisions_and_shadow_scores_pair_in_order_of_time(engine: Engine, log: CheckedLog) -> None:
    log.append(*decided("second", NOON + HOUR, MINE), *decided("first", NOON, OTHER, "decline"))
    log.append(*decided("alone", NOON, MINE), imported(transaction("past", NOON - DAY)))
    project_all(transactions_projection(engine), log)
    shadowed(engine, OTHER, second=0.5, past=0.6)
    shadowed(engine, MINE, first=0.4, past=0.7)
    assert [(each.transaction_id, each.champion, each.challenger) for each in asked(engine)] == [
        ("past", Said(0.7, "review", decided=False), Said(0.6, "review", decided=False)),
        ("first", Said(0.4, "review", decided=False), Said(0.25, "decline", decided=True)),
        ("second", Said(0.25, "approve", decided=True), Said(0.5, "review", decided=False)),
    ]
    assert [each.declined for each in asked(engine)] == [False, True, False]


def test_own_decisions_go_before_shadows_and_need_a_score(engine: Engine, log: CheckedLog) -> None:
    log.append(*decided("both", NOON, MINE), *decided("unscored", NOON, MINE))
    project_all(transactions_projection(engine), log)
    shadowed(engine, MINE, both=0.9)
    shadowed(engine, OTHER, both=0.5, unscored=None)
    [pair] = asked(engine)
    assert pair.champion == Said(0.25, "approve", decided=True)


def test_the_range_is_of_event_time_and_leaves_out_its_end(engine: Engine, log: CheckedLog) -> None:
    for hour in range(3):
        log.append(*decided(f"x{hour}", NOON + hour * HOUR, MINE))
    project_all(transactions_projection(engine), log)
    shadowed(engine, OTHER, x0=0.5, x1=0.5, x2=0.5)
    found = asked(engine, NOON + HOUR, NOON + 2 * HOUR)
    assert [each.transaction_id for each in found] == ["x1"]


def test_labels_come_in_the_order_of_the_log(engine: Engine, log: CheckedLog) -> None:
    log.append(*decided("x", NOON, MINE), labelled("x", 0, NOON + 9 * DAY, "r2"))
    log.append(labelled("x", 1, NOON + 2 * DAY, "r1"))
    project_all(transactions_projection(engine), log)
    shadowed(engine, OTHER, x=0.5)
    [pair] = asked(engine)
    assert pair.labels == ((NOON + 9 * DAY, 0), (NOON + 2 * DAY, 1))


def test_a_fallback_decision_is_no_score_of_the_model(engine: Engine, log: CheckedLog) -> None:
    changes: dict[str, Any] = {"path": "deadline"}
    x, made = decided("x", NOON, MINE)
    log.append(x, replace(made, data=replace(made.data, **changes)))
    project_all(transactions_projection(engine), log)
    shadowed(engine, OTHER, x=0.5)
    assert asked(engine) == []
