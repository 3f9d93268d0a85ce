"""Owns the proof that a shadow scores each transaction once: over the seam, kills and rebuilds."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from domain.errors import FencedError
from domain.events import Envelope, ModelShadowed, ShadowEnded, Thresholds
from domain.policy import NO_SHADOWS, Shadow, Shadows
from domain.times import HOUR, to_datetime
from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.read_models import forget
from projections.readmodels.storage.connecting import transaction as in_transaction
from projections.shadows.adapters.postgres import PostgresShadows
from projections.shadows.port import ShadowScore
from projections.shadows.worker import Replayed, ShadowScoring
from tests.builders.read_model_facts import (
    NOON,
    PARTITIONS,
    CheckedLog,
    imported,
    project_all,
    scored,
    submitted,
    transaction,
)
from tests.builders.table_contents import rows

THRESHOLDS = Thresholds(review=0.3, step_up=0.5, decline=0.7)
SINCE = NOON + 4 * HOUR


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """A log, its read models, and what the policy topic says of shadows."""

    engine: Engine
    log: CheckedLog = field(default_factory=CheckedLog)
    shadows: Shadows = NO_SHADOWS
    number: int = 0
    replays: int = 0
    refused: set[str] = field(default_factory=set)

    def history(self, count: int) -> None:
        """Hour by hour: every third is imported, one of four repeats its decision."""
        for _ in range(count):
            x = transaction(f"x-{self.number}", NOON + self.number * HOUR)
            decided = scored(x)
            features = [float(self.number % 10), None, 0.3]
            decided = replace(decided, data=replace(decided.data, features=features))
            facts = [imported(x)] if self.number % 3 == 0 else [submitted(x), decided]
            self.log.append(*facts, *(facts if self.number % 4 == 0 else []))
            self.number += 1

    def say(self, fact: Any) -> None:
        self.shadows = self.shadows.apply(fact, self.shadows.version + 1)

    def shadow(self, since: int | None, model_hash: str = "c" * 64) -> None:
        self.say(
            ModelShadowed(
                model_id="c",
                model_hash=model_hash,
                feature_set="f1",
                thresholds=THRESHOLDS,
                seam=self.log.ends(),
                since=since,
            )
        )

    def worker(
        self, store: PostgresShadows | None = None, told: Shadows | None = None
    ) -> ShadowScoring:
        made = ShadowScoring(
            store or PostgresShadows(self.engine),
            lambda _: told or self.shadows,
            lambda _: Tenths(),
            self.replay,
        )
        made.own(set(range(PARTITIONS)))
        return made

    def project(self) -> None:
        project_all(transactions_projection(self.engine), self.log)

    def replay(self, shadow: Shadow) -> list[Replayed] | None:
        if shadow.model_hash in self.refused:
            return None
        self.replays += 1
        found = [
            Replayed(place.partition, place.offset, x.transaction_id, x.timestamp, x.timestamp, 0.6)
            for place, x in self.vectors()
            if place.offset < shadow.seam[place.partition] and x.timestamp >= (shadow.since or 0)
        ]
        return sorted(found, key=lambda each: (each.partition, each.offset))

    def vectors(self) -> list[Any]:
        """(position, transaction) of each decision and import that counts."""
        records = [each for some in self.log.records.values() for each in some]
        return [
            (each.position, each.envelope.data.transaction)
            for each in records
            if each.status == "counts" and each.envelope and is_vector(each.envelope)
        ]


def is_vector(envelope: Envelope) -> bool:
    return envelope.type.startswith(("fraud.transaction.scored", "fraud.transaction.imported"))


class Tenths:
    """The first feature in tenths; knows the set f1 alone."""

    def score(self, feature_set: str, values: Sequence[float | None]) -> float | None:
        return (values[0] or 0.0) / 10 if feature_set == "f1" else None


@pytest.fixture
def world(engine: Engine) -> World:
    with in_transaction(engine) as connection:
        connection.execute(text("TRUNCATE shadow_scores"))
    return World(engine)


def settle(worker: ShadowScoring) -> None:
    while worker.step():
        pass


def found(world: World) -> list[tuple[Any, ...]]:
    return rows(world.engine, "SELECT * FROM shadow_scores ORDER BY model_hash, transaction_id")


def vectors_by_id(world: World) -> dict[str, str]:
    asked = "SELECT transaction_id, vector FROM shadow_scores"
    return {key: vector for key, vector in rows(world.engine, asked)}  # noqa: C416


def due(world: World, since: int, seam: Sequence[int]) -> dict[str, str]:
    """What must be there: ideal below the seam, served above it, where imports have nothing."""
    expected = {}
    for place, x in world.vectors():
        below = place.offset < seam[place.partition]
        decided = int(x.transaction_id[2:]) % 3 != 0
        if x.timestamp >= since and (below or decided):
            expected[x.transaction_id] = "ideal" if below else "served"
    return expected


def test_a_shadow_scores_decisions_from_its_position_on_with_its_own_thresholds(
    world: World,
) -> None:
    world.history(12)
    world.shadow(None)
    world.history(12)
    world.project()
    settle(world.worker())
    asked = "SELECT transaction_id, score, outcome, unscored FROM shadow_scores ORDER BY 1"
    assert rows(world.engine, asked)[:4] == [
        ("x-13", 0.3, "review", None),
        ("x-14", 0.4, "review", None),
        ("x-16", 0.6, "step_up", None),
        ("x-17", 0.7, "decline", None),
    ]
    assert vectors_by_id(world) == {f"x-{n}": "served" for n in range(12, 24) if n % 3 != 0}
    assert world.replays == 0


def test_history_and_what_follows_meet_at_the_seam_with_neither_gap_nor_overlap(
    world: World,
) -> None:
    world.history(30)
    world.shadow(SINCE)
    seam = world.log.ends()
    worker = world.worker()
    for _ in range(4):
        world.history(7)
        world.project()
        settle(worker)
    assert vectors_by_id(world) == due(world, SINCE, seam)
    assert world.replays == 1


@pytest.mark.parametrize("seed", range(12))
def test_kills_before_and_after_any_commit_leave_each_transaction_scored_once(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr("projections.shadows.worker._AT_ONCE", 3)
    monkeypatch.setattr("projections.shadows.worker._HISTORY_AT_ONCE", 4)
    world.history(30)
    world.shadow(SINCE)
    seam = world.log.ends()
    kills = 0
    for _ in range(5):
        world.history(draw.randrange(1, 9))
        world.project()
        while True:
            try:
                settle(world.worker(Killing(world.engine, draw)))
                break
            except Killed:
                kills += 1
    assert kills > 0
    assert vectors_by_id(world) == due(world, SINCE, seam)
    counted = "SELECT sum(projected) FROM projection_positions WHERE projection LIKE 'shadow.%'"
    assert rows(world.engine, counted) == [(len(due(world, SINCE, seam)),)]


class Killing(PostgresShadows):
    """Ends the process at one write in four, before it or after it."""

    def __init__(self, engine: Engine, draw: random.Random) -> None:
        super().__init__(engine)
        self._draw = draw

    def write(
        self, shadow: Shadow, partition: int, scores: Sequence[ShadowScore], following: int
    ) -> None:
        fate = self._draw.randrange(8)
        if fate == 0:
            raise Killed
        super().write(shadow, partition, scores, following)
        if fate == 1:
            raise Killed


def without_shadows(world: World) -> None:
    with in_transaction(world.engine) as connection:
        connection.execute(text("TRUNCATE shadow_scores"))
        connection.execute(
            text("DELETE FROM projection_positions WHERE projection LIKE 'shadow.%'")
        )


@pytest.mark.parametrize("lose", [without_shadows, lambda world: forget(world.engine)])
def test_a_rebuild_from_the_log_gives_the_same_rows(
    world: World, lose: Callable[[World], None]
) -> None:
    world.history(20)
    world.shadow(SINCE)
    world.history(11)
    world.project()
    settle(world.worker())
    before = found(world)
    assert len(before) > 15
    lose(world)
    world.project()
    settle(world.worker())
    assert found(world) == before


def test_a_shadow_that_ended_scores_what_lies_before_its_end_alone(world: World) -> None:
    world.history(6)
    world.shadow(None)
    world.history(9)
    world.say(ShadowEnded(model_id="c", model_hash="c" * 64, until=world.log.ends()))
    world.history(9)
    world.project()
    settle(world.worker())
    assert set(vectors_by_id(world)) == {f"x-{n}" for n in range(6, 15) if n % 3 != 0}


def test_another_shadow_of_the_model_takes_the_place_of_the_first_and_fences_its_writer(
    world: World,
) -> None:
    world.history(12)
    world.shadow(None)
    first = world.worker(told=world.shadows)
    world.history(6)
    world.project()
    settle(first)
    world.shadow(NOON + 14 * HOUR)
    seam = world.log.ends()
    world.history(6)
    world.project()
    settle(world.worker())
    after = vectors_by_id(world)
    assert after == due(world, NOON + 14 * HOUR, seam)
    with pytest.raises(FencedError):
        first.step()


def test_two_shadows_go_their_own_ways(world: World) -> None:
    world.history(6)
    world.shadow(NOON)
    world.history(6)
    world.shadow(None, "d" * 64)
    world.history(6)
    world.project()
    settle(world.worker())
    counted = "SELECT model_hash, count(*) FROM shadow_scores GROUP BY 1 ORDER BY 1"
    assert rows(world.engine, counted) == [("c" * 64, 6 + 8), ("d" * 64, 4)]


def test_a_shadow_that_cannot_score_history_waits_and_keeps_no_other_from_going_on(
    world: World,
) -> None:
    world.history(12)
    world.shadow(NOON)
    world.shadow(NOON, "d" * 64)
    world.refused.add("c" * 64)
    world.project()
    settle(world.worker())
    counted = "SELECT model_hash, count(*) FROM shadow_scores GROUP BY 1 ORDER BY 1"
    assert rows(world.engine, counted) == [("d" * 64, 12)]
    world.refused.clear()
    settle(world.worker())
    assert rows(world.engine, counted) == [("c" * 64, 12), ("d" * 64, 12)]


def test_a_predecessor_that_was_frozen_is_fenced_and_a_partition_given_up_is_left_alone(
    world: World,
) -> None:
    world.history(6)
    world.shadow(None)
    world.history(3)
    world.project()
    frozen = world.worker()
    settle(frozen)
    world.history(3)
    world.project()
    settle(world.worker())
    before = found(world)
    world.history(3)
    world.project()
    with pytest.raises(FencedError, match="taken it over"):
        settle(frozen)
    frozen.own(set())
    settle(frozen)
    assert found(world) == before


def test_a_decision_without_features_and_one_of_other_features_say_why_they_have_no_score(
    world: World,
) -> None:
    world.shadow(None)
    cases: dict[str, dict[str, Any]] = {
        "late": {"path": "deadline", "flags": ["deadline_passed"]},
        "away": {"path": "fallback", "flags": ["no_card", "features_unavailable"]},
        "no-model": {"path": "fallback", "flags": ["no_model"]},
        "other": {"feature_set": "f2"},
    }
    for key, changes in cases.items():
        x = transaction(key)
        made = scored(x)
        world.log.append(submitted(x), replace(made, data=replace(made.data, **changes)))
    world.project()
    settle(world.worker())
    asked = "SELECT transaction_id, score, outcome, unscored FROM shadow_scores ORDER BY 1"
    assert rows(world.engine, asked) == [
        ("away", None, None, "not_served"),
        ("late", None, None, "not_served"),
        ("no-model", 0.1, "approve", None),
        ("other", None, None, "other_features"),
    ]


def test_times_and_places_are_those_of_the_decision(world: World) -> None:
    world.shadow(None)
    x = transaction("x-1", NOON + 5)
    world.log.append(submitted(x), scored(x, known=NOON + 9))
    world.project()
    settle(world.worker())
    asked = "SELECT timestamp, known_time, source_topic, source_offset FROM shadow_scores"
    assert rows(world.engine, asked) == [
        (to_datetime(NOON + 5), to_datetime(NOON + 9), "retrace.transactions.g1", 1)
    ]
