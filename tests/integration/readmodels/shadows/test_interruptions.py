"""Shadow scores under kills, rebuilds and takeovers: each transaction is scored once."""

import random
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Engine, text

from domain.errors import FencedError
from domain.policy.shadows import Shadow
from domain.times import HOUR
from projections.readmodels.queries.read_models import forget
from projections.readmodels.storage.connecting import transaction as in_transaction
from projections.shadows.adapters.postgres import PostgresShadows
from projections.shadows.port import ShadowScore
from tests.builders.read_model_facts import NOON
from tests.builders.table_contents import rows
from tests.integration.readmodels.shadows.world import (
    SINCE,
    World,
    due,
    found,
    settle,
    vectors_by_id,
)


class Killed(BaseException):
    """The process was killed."""


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
def test_a_rebuild_gives_the_same_rows(world: World, lose: Callable[[World], None]) -> None:
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


def test_another_shadow_of_a_model_replaces_the_first_and_fences_its_writer(world: World) -> None:
    world.history(12)
    world.shadow(None)
    first = world.worker(active=world.shadows)
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


def test_a_frozen_predecessor_is_fenced_and_a_revoked_partition_not_written(world: World) -> None:
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
