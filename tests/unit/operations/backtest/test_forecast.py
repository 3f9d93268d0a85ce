"""Forecasts of policies: the interval holds the next period where days and merchants differ too."""

import numpy as np
import pytest

from domain.events import Thresholds
from domain.features import FeatureSet
from domain.features.payments import Payments
from domain.policy.lists.published import NO_LISTS
from domain.times import DAY, HOUR
from operations.backtest.policies.deciding import Decisions, Part
from operations.backtest.policies.forecast import forecast, groupings
from operations.backtest.policies.past import Floats, Past
from operations.backtest.policies.policy import Setting
from projections.replay.dataset import Dataset
from projections.replay.ruling import Rulings
from projections.replay.transactions import PastTransactions, Texts

DAYS, CARDS, MERCHANTS, SEEDS = 14, 300, 60, 100
FIGURES = ("missed_fraud", "alerts_per_day", "precision", "recall")
REVIEW = 0.5


def tried(seed: int) -> tuple[Past, Decisions]:
    """A fortnight in which on some days, and at some merchants, frauds are many."""
    draw = np.random.default_rng(seed)
    each = draw.poisson(100, DAYS)
    number = int(each.sum())
    days = np.repeat(np.arange(DAYS), each)
    cards, merchants = draw.integers(0, CARDS, number), draw.integers(0, MERCHANTS, number)
    worse = draw.gamma(2.0, 0.5, DAYS)[days] * draw.gamma(2.0, 0.5, MERCHANTS)[merchants]
    labels = (draw.random(number) < np.minimum(0.06 * worse, 0.9)).astype(np.int64)
    scores = np.where(labels == 1, draw.beta(3, 2, number), draw.beta(1, 8, number))
    amounts = draw.exponential(5_000, number).astype(np.int64)
    made = Dataset(
        FeatureSet([]), np.arange(number), np.arange(number).astype(str), days * DAY + HOUR,
        days * DAY + HOUR, labels, np.zeros((number, 0)),
        Payments(cards + 1, amounts, np.zeros(number, bool), np.zeros((number, 0), np.int8)),
    )  # fmt: skip
    past = Past(made, PastTransactions({"merchant_id": Texts(merchants, ())}, {}), never)
    least = Thresholds(review=REVIEW, step_up=1.0, decline=1.0)
    nothing = np.zeros(number, dtype=np.int64)
    ruled = Rulings(nothing, nothing.astype(bool), nothing.astype(np.int8), ())
    setting = Setting("m", least, None, NO_LISTS)
    part = Part(np.arange(number), scores, ruled, least, setting, "m")
    return past, Decisions("tried", (part,), (scores >= REVIEW).astype(np.int8), scores)


def never(*_: object) -> tuple[Floats, bool]:
    raise AssertionError


def test_a_forecast_holds_the_next_fortnight_at_its_rate_and_one_by_card_does_not() -> None:
    pairs = [tried(seed) for seed in range(2 * SEEDS)]
    made = [forecast(past, each, groupings(past)) for past, each in pairs]
    held = {kind: dict.fromkeys(FIGURES, 0) for kind in ("by_card", "interval")}
    for now, later in zip(made[::2], made[1::2], strict=True):
        for kind, counts in held.items():
            for name in FIGURES:
                low, high = now[name][kind]
                counts[name] += low <= later[name]["value"] <= high
    # 95 % of 100, less three standard deviations; conservative ones may hold more often.
    assert min(held["interval"].values()) >= 88, held
    assert held["by_card"]["alerts_per_day"] < 82, held


def test_what_is_a_share_of_nothing_has_no_forecast() -> None:
    past, made = tried(1)
    past.made.labels[:] = 0
    found = forecast(past, made, groupings(past))
    assert found["recall"] == {"value": None, "by_card": None, "interval": None}
    assert found["missed_fraud"]["interval"] == [0.0, 0.0]
    assert found["precision"]["value"] == 0.0
    assert found["alerts_per_day"]["value"] == pytest.approx((made.outcomes > 0).sum() / DAYS)
