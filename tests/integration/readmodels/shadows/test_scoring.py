"""Shadow scores: which transactions, with which vectors, thresholds and times."""

from dataclasses import replace
from typing import Any

from domain.events import ShadowEnded
from domain.times import to_datetime
from tests.builders.read_model_facts import NOON, scored, submitted, transaction
from tests.builders.table_contents import rows
from tests.integration.readmodels.shadows.world import SINCE, World, due, settle, vectors_by_id


def test_a_shadow_scores_decisions_from_its_position_on_by_its_thresholds(world: World) -> None:
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


def test_history_and_live_decisions_meet_at_the_seam_without_gap_or_overlap(world: World) -> None:
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


def test_a_shadow_that_ended_scores_what_lies_before_its_end_alone(world: World) -> None:
    world.history(6)
    world.shadow(None)
    world.history(9)
    world.say(ShadowEnded(model_id="c", model_hash="c" * 64, until=world.log.ends()))
    world.history(9)
    world.project()
    settle(world.worker())
    assert set(vectors_by_id(world)) == {f"x-{n}" for n in range(6, 15) if n % 3 != 0}


def test_two_shadows_score_independently(world: World) -> None:
    world.history(6)
    world.shadow(NOON)
    world.history(6)
    world.shadow(None, "d" * 64)
    world.history(6)
    world.project()
    settle(world.worker())
    counted = "SELECT model_hash, count(*) FROM shadow_scores GROUP BY 1 ORDER BY 1"
    assert rows(world.engine, counted) == [("c" * 64, 6 + 8), ("d" * 64, 4)]


def test_a_shadow_that_cannot_score_history_waits_and_the_others_go_on(world: World) -> None:
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


def test_decisions_without_features_or_with_others_say_why_they_have_no_score(world: World) -> None:
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
