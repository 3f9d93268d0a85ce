"""Live precision and recall alert where they fall short of the card, and hardly ever by chance."""

from typing import Any

import numpy as np
import pytest

from inference.artefacts.reference import Catch, Catches
from inference.monitoring.catches import LivePayments, precision, recall
from inference.monitoring.limits import Limits
from inference.proportions import proportion

LIMITS = Limits()
DAYS = 30


def expected(found: float, rows: int, random: np.random.Generator) -> Catches:
    """What a card counted on so many payments, of precision and recall alike."""
    counted = proportion(random.random(rows) < found)
    catch = Catch(0.01, counted, counted)
    return Catches(catch, catch, catch, catch)


def payments(referred: Any, labels: Any, ages: Any = 0, holders: Any = None) -> LivePayments:
    rows = len(referred)
    of = np.arange(rows) if holders is None else np.asarray(holders)
    return LivePayments(
        np.full(rows, ages), of, np.asarray(referred, bool), np.asarray(labels, float)
    )


def known_frauds(
    random: np.random.Generator, share: float, rows: int, ages: Any = 0
) -> LivePayments:
    return payments(random.random(rows) < share, np.ones(rows), ages)


def level(found: Any) -> str:
    return found.level if found else "unknown"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_model_as_good_as_its_card_seldom_raises_an_alert(share: float) -> None:
    random = np.random.default_rng(5)
    recalls, precisions = [], []
    for _ in range(500):
        card = expected(share, 300, random)
        frauds = known_frauds(random, share, 200, random.integers(0, 56, 200))
        recalls.append(level(recall(card, frauds, LIMITS)))
        looked = payments(np.ones(200), random.random(200) < share, random.integers(0, 56, 200))
        precisions.append(level(precision(card, looked, DAYS, LIMITS)))
    for levels in (recalls, precisions):
        assert "unknown" not in levels
        assert 500 - levels.count("steady") <= 500 * LIMITS.significance


def test_cards_that_are_found_or_missed_together_do_not_raise_more() -> None:
    random, levels = np.random.default_rng(6), []
    for _ in range(500):
        card = expected(0.6, 300, random)
        found = np.repeat(random.random(40) < 0.6, 5)
        frauds = payments(found, np.ones(200), 0, np.repeat(np.arange(40), 5))
        levels.append(level(recall(card, frauds, LIMITS)))
    assert 500 - levels.count("steady") <= 500 * LIMITS.significance


def test_a_model_that_turned_bad_is_found_by_the_labels_of_one_day() -> None:
    random = np.random.default_rng(7)
    card = expected(0.7, 300, random)
    for _ in range(50):
        before = known_frauds(random, 0.7, 20 * 55, np.repeat(np.arange(8, 63), 20))
        day = known_frauds(random, 0.2, 40, 7)
        both = LivePayments(
            *(
                np.concatenate([getattr(day, name), getattr(before, name)])
                for name in LivePayments.__slots__
            )
        )
        found = recall(card, both, LIMITS)
        assert found is not None
        assert (found.level, found.days, found.payments) == ("alert", 8, 40)
        assert level(recall(card, before, LIMITS)) == "steady"


def test_a_small_loss_on_many_payments_is_no_alert() -> None:
    random = np.random.default_rng(8)
    card = expected(0.7, 5000, random)
    found = recall(card, known_frauds(random, 0.64, 5000), LIMITS)
    assert found is not None
    assert found.p_value < 0.001
    assert found.level == "steady"


def test_a_model_that_does_better_than_its_card_is_steady() -> None:
    card = expected(0.3, 300, np.random.default_rng(9))
    assert level(recall(card, payments(np.ones(100), np.ones(100)), LIMITS)) == "steady"


def test_labels_yet_to_come_do_not_lower_precision() -> None:
    """Genuine payments are confirmed at once, frauds are reported after twenty days."""
    random = np.random.default_rng(10)
    card = expected(0.4, 300, random)
    ages = random.integers(0, 56, 600)
    fraud = random.random(600) < 0.4
    told = np.where(fraud & (ages < 20), np.nan, fraud.astype(float))
    found = precision(card, payments(np.ones(600), told, ages), DAYS, LIMITS)
    assert found is not None
    assert (found.level, found.days) == ("steady", 56)
    assert 0 < found.open < np.isnan(told).sum()
    none_yet = payments(np.ones(600), np.full(600, np.nan), ages)
    settled = precision(card, none_yet, DAYS, LIMITS)
    assert settled is not None
    assert (settled.level, settled.payments) == ("alert", (ages >= DAYS).sum())


def test_payments_confirmed_genuine_show_a_bad_model_within_a_day() -> None:
    card = expected(0.4, 300, np.random.default_rng(11))
    told = np.where(np.arange(100) < 80, 0.0, np.nan)
    found = precision(card, payments(np.ones(100), told), DAYS, LIMITS)
    assert found is not None
    assert (found.level, found.live.share, found.open) == ("alert", 0.2, 20)


def test_too_few_frauds_and_a_model_without_expectations_are_unknown() -> None:
    card = expected(0.7, 300, np.random.default_rng(12))
    missed = payments(np.zeros(9), np.ones(9))
    assert recall(card, missed, LIMITS) is None
    assert recall(None, payments(np.zeros(90), np.ones(90)), LIMITS) is None
    assert precision(None, payments(np.ones(90), np.zeros(90)), DAYS, LIMITS) is None
    assert precision(card, payments([], []), DAYS, LIMITS) is None
