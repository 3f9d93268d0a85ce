"""Ends of windows, horizons and tiles, to the microsecond, against the naive reference.

Random streams meet these moments seldom, so each is tried here.
"""

import math

import pytest

from domain.features import CATALOGUE, Entity, EntityState, FeatureEvent
from domain.features.declarations.windows import Window
from domain.features.kernel.layout import LABELS, S_HORIZON, S_KIND, S_TILE
from domain.times import MINUTE, SECOND
from tests.builders.feature_events import NOON, labelled, paid, values

NOW = NOON + 7 * MINUTE + 13  # at the start of no tile
STEPS = (-1, 0, 1)
WINDOWS = sorted(
    {w for f in CATALOGUE.features for w in (f.window, f.baseline) if w},
    key=lambda w: (w.span, w.tile),
)


def named(window: Window) -> str:
    return f"{window.name}-{window.tile // SECOND}s"


def low_amounts() -> list[FeatureEvent]:
    return [paid(f"low{n}", NOW - MINUTE - n, 10 + n) for n in range(40)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("window", WINDOWS, ids=named)
def test_the_edges_of_a_window_are_those_of_its_tiles(window: Window, step: int) -> None:
    first = (NOW - window.span) // window.tile * window.tile
    after = (NOW // window.tile + 1) * window.tile
    for at in (first + step, after + step, NOW - window.span + step, NOW + step):
        # `values` holds every feature against the reference.
        values([*low_amounts(), paid("high", at, 90_000)], NOW)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("window", WINDOWS, ids=named)
def test_labels_count_and_are_replaced_at_the_edges_of_tiles(window: Window, step: int) -> None:
    first = (NOW - window.span) // window.tile * window.tile
    now_begins = NOW // MINUTE * MINUTE
    for at in (first + step, now_begins + step, NOW - window.span + step):
        values([labelled("t", at, 1), labelled("u", NOW - 2 * MINUTE, 1, "s")], NOW)
        earlier = labelled("t", at - 2 * MINUTE, 1)
        values([earlier, labelled("t", at, 0, "reversal")], NOW)


def edges(entity: Entity) -> list[tuple[bool, int]]:
    """(is it of labels, the earliest moment that a store keeps once it has seen NOW)."""
    found = []
    for store in CATALOGUE.plans[entity].stores:
        oldest, labels = NOW - int(store[S_HORIZON]), bool(store[S_KIND] == LABELS)
        tile = 1 if labels else int(store[S_TILE])
        if store[S_HORIZON]:
            found.append((labels, oldest // tile * tile))
    return found


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("entity", [Entity.CARD, Entity.PAYER, Entity.MERCHANT])
def test_a_horizon_drops_the_same_whichever_came_first(entity: Entity, step: int) -> None:
    place = {"card_id": "ann", "device_id": "d", "country": "DE", "x": 1, "y": 2, "z": 3}
    for of_labels, edge in edges(entity):
        old, new = paid("old", edge + step, 7, **place), paid("new", NOW, 9, **place)
        if of_labels:
            old, new = labelled("old", edge + step, 1, "o"), labelled("new", NOW, 1, "n")
            old, new = old._replace(card_id="ann"), new._replace(card_id="ann")
        states = []
        for order in ([(0, old), (1, new)], [(1, new), (0, old)]):
            state = EntityState(entity, "ann")
            for partition, event in order:
                state.fold(partition, 0, event)
            states.append(state)
        one, other = states
        assert one.to_bytes() == other.to_bytes()
        left, right = (EntityState(entity, "ann") for _ in range(2))
        left.fold(0, 0, old)
        right.fold(1, 0, new)
        left.merge(right)
        assert left.to_bytes() == one.to_bytes()
        right.merge(_folded(entity, old))
        assert right.to_bytes() == one.to_bytes()


def _folded(entity: Entity, event: FeatureEvent) -> EntityState:
    state = EntityState(entity, "ann")
    state.fold(0, 0, event)
    return state


def test_squares_that_fill_a_limb_to_the_last_are_carried() -> None:
    amounts = [2**31, *[2**30] * 4]  # squares of 2^62 and four times 2^60
    values([paid(str(n), NOON - MINUTE, amount) for n, amount in enumerate(amounts)], NOON)


def test_an_amount_that_is_the_mean_deviates_by_zero_above_zero() -> None:
    events = [paid(str(amount), NOON - MINUTE, amount) for amount in (1000, 3000)]
    score = values(events, NOON, amount=2000)["payer_amount_z_score_30d"]
    assert score == 0.0
    assert math.copysign(1.0, score) == 1.0
