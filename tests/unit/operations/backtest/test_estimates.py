"""Estimates by inverse propensity weighting: the interval holds the truth at its stated rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from cli.backtest.feedback import show_estimates
from domain.features import FeatureSet
from domain.times import from_rfc3339
from operations.backtest.policies.deciding import decide
from operations.backtest.policies.estimates.report import apart, estimates
from operations.backtest.policies.estimates.weighting import (
    LEVEL,
    Estimate,
    Floats,
    Sample,
    ratio,
    self_normalised_total,
    total,
)
from operations.backtest.policies.past import Past, read_past
from operations.backtest.policies.policy import live_past, live_policy
from tests.builders.decisions.history import LANGUAGE, MODELS, DecidedHistory, decided_history

CARDS, EACH, SEEDS = 600, 8.0, 400
BAD = 0.15
# By kind of card: the chances of each level of score, from 0.1 to 0.9, and of fraud at each.
LEVELS = np.array([[0.7, 0.15, 0.1, 0.03, 0.02], [0.1, 0.2, 0.2, 0.25, 0.25]])
FRAUD = np.array([[0.001, 0.01, 0.05, 0.2, 0.4], [0.05, 0.2, 0.4, 0.6, 0.8]])
MEAN, DECLINES, CANDIDATE, SHARE = 50.0, 3, 4, 0.1


def truth(flagged_from: int) -> tuple[float, float]:
    """(money of fraud below that level, share of frauds from there on), in expectation."""
    kinds = np.array([1 - BAD, BAD])[:, None]
    frauds = kinds * LEVELS * FRAUD * CARDS * EACH
    return float(frauds[:, :flagged_from].sum() * MEAN), float(
        frauds[:, flagged_from:].sum() / frauds.sum()
    )


@dataclass(frozen=True)
class Drawn:
    """By payment what the candidate misses, could miss and flags of fraud, and the frauds."""

    sample: Sample
    missed: Floats
    possible: Floats
    flagged: Floats
    frauds: Floats


def drawn(seed: int) -> Drawn:
    """Cards differ in kind and in what they spend, so that their payments are alike."""
    draw = np.random.default_rng(seed)
    cards = np.repeat(np.arange(CARDS), draw.poisson(EACH, CARDS))
    kinds = (draw.random(CARDS) < BAD).astype(int)[cards]
    levels = (draw.random(len(cards))[:, None] > LEVELS.cumsum(axis=1)[kinds]).sum(axis=1)
    frauds = (draw.random(len(cards)) < FRAUD[kinds, levels]).astype(np.float64)
    spends = draw.gamma(4.0, MEAN / 4, CARDS)[cards]
    amounts = spends * draw.exponential(1.0, len(cards))
    chances = np.where(levels >= DECLINES, SHARE, 1.0)
    passed = draw.random(len(cards)) < chances
    possible = amounts * (levels < CANDIDATE)
    # What did not pass is never labelled.
    frauds = frauds * passed
    flagged = frauds * (levels >= CANDIDATE)
    return Drawn(Sample(chances, passed, cards), frauds * possible, possible, flagged, frauds)


def holds(found: Sequence[Estimate | None], wanted: float) -> int:
    intervals = [each.interval for each in found if each is not None]
    return sum(low <= wanted <= high for low, high in intervals)


def test_intervals_hold_the_truth_at_their_rate() -> None:
    missed, recall = truth(CANDIDATE)
    samples = [drawn(seed) for seed in range(SEEDS)]
    totals = [total(each.sample, each.missed, each.possible) for each in samples]
    normal = [self_normalised_total(each.sample, each.missed, each.possible) for each in samples]
    recalls = [ratio(each.sample, each.flagged, each.frauds) for each in samples]
    # Three standard deviations of the number of 400 that hold.
    off = 3 * (LEVEL * (1 - LEVEL) * SEEDS) ** 0.5
    for name, held in (
        ("total", holds(totals, missed)),
        ("self-normalised", holds(normal, missed)),
        ("recall", holds(recalls, recall)),
    ):
        assert abs(held - LEVEL * SEEDS) <= off, (name, held)
    for found in (totals, normal):
        values = np.array([each.value for each in found])
        assert abs(values.mean() - missed) < 4 * values.std() / SEEDS**0.5
        assert np.mean([each.variance for each in found]) == pytest.approx(values.var(), rel=0.25)


def test_without_weights_fraud_of_the_declined_is_not_seen() -> None:
    """The figures that a backtest has without exploration are far from the truth."""
    missed, _ = truth(CANDIDATE)
    naive = [float(each.missed.sum()) for each in map(drawn, range(50))]
    assert np.mean(naive) < 0.6 * missed


def test_where_no_draw_was_fraud_the_interval_still_has_what_one_could_be() -> None:
    sample = Sample(np.array([0.1, 0.1, 1.0]), np.array([True, False, True]), np.arange(3))
    nothing, possible = np.zeros(3), np.array([20.0, 50.0, 5.0])
    for made in (total, self_normalised_total):
        found = made(sample, nothing, possible)
        assert (found.value, found.variance, found.interval[0]) == (0.0, 0.0, 0.0)
        # Of Poisson's zero, 3.7 is the limit: half a draw is added, which leaves 2.5.
        assert 2 * 200 < found.interval[1] < 3 * 200


def test_a_ratio_of_nothing_is_unknown() -> None:
    sample = Sample(np.ones(2), np.array([True, True]), np.arange(2))
    assert ratio(sample, np.zeros(2), np.zeros(2)) is None


AT = "2023-10-01T12:{:02}:{:02}Z"
BEGIN, END = from_rfc3339("2023-10-01T00:00:00Z"), from_rfc3339("2023-10-02T00:00:00Z")


async def test_chances_are_those_that_decisions_recorded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of payments with a score over the threshold, half pass from the second minute on."""
    with decided_history() as history:
        history.promote(0, 0.5)
        history.set_thresholds(0.05)
        await history.pay("early", 1300, AT.format(0, 0), card_id="c-0")
        history.explore(5000)
        for number in range(80):
            at = AT.format(1 + number // 60, number % 60)
            await history.pay(f"t-{number}", 1300, at, card_id=f"c-{number}")
            history.label(f"t-{number}", number % 2, f"c-{number}")
        await history.pay("small", 1, AT.format(4, 0), card_id="c-s")
        live = live_past(history.log)
        policy = live_policy(live)
        past = past_of(history)
        base = decide(past, policy, LANGUAGE)
        open_ = base.at("open", review=1.0, step_up=1.0, decline=1.0)
    chances = dict(zip(past.made.transaction_ids.tolist(), past.propensities.tolist(), strict=True))
    assert (chances["early"], chances["small"], chances["t-7"]) == (0.0, 1.0, 0.5)
    found = estimates(past, base, open_)
    passed = 80 - int(past.made.payments.declined[1:-1].sum())
    assert 30 <= passed < 55
    assert found["refused"] is None
    assert found["explored"] == {
        "declined": 81, "reachable": 80, "passed": passed, "passed_labelled": passed,
        "freed": 81, "freed_beyond_reach": 1,
    }  # fmt: skip
    # Every second payment is fraud, all of one amount: the candidate misses 40 of these.
    amount = int(past.made.payments.amounts[1])
    missed = found["candidate"]["missed_fraud"]["self_normalised"]
    assert missed["interval"][0] < 40 * amount < missed["interval"][1]
    assert found["baseline"]["missed_fraud"]["horvitz_thompson"]["value"] == 0
    wronged = found["difference"]["genuine_declined"]["horvitz_thompson"]
    assert wronged["interval"][0] < -40 < wronged["interval"][1]
    told = apart(past, base, open_)
    assert (told["baseline"]["passed"], told["candidate"]["passed"]) == (0, 81 - passed)
    show_estimates(told, found)
    out = capsys.readouterr().out
    assert f"from {passed} explored payments ({passed} labelled), which stand for 80 of 81" in out
    assert "1 that it would pass could not be explored" in out
    assert "missed fraud, difference" in out
    show_estimates(told, found | {"refused": "because"})
    assert "no unbiased estimate: because" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("share", "declined", "why"),
    [
        (0, True, "explored nothing"),
        (0, False, "nothing was declined"),
        (9_999, True, "30 are needed"),
    ],
)
async def test_without_enough_explored_there_is_no_figure(
    share: int, declined: bool, why: str
) -> None:
    with decided_history() as history:
        history.promote(0, 0.5)
        history.set_thresholds(0.05 if declined else None)
        history.explore(share)
        await history.pay("t-1", 1300 if declined else 1, AT.format(0, 0), card_id="c")
        past = past_of(history)
        base = decide(past, live_policy(live_past(history.log)), LANGUAGE)
    found = estimates(past, base, base)
    assert why in found["refused"]
    assert "difference" not in found


def past_of(history: DecidedHistory) -> Past:
    def scored(model_hash: str, features: FeatureSet, values: Floats) -> tuple[Floats, bool]:
        model = next(each for each in MODELS if each.model_hash == model_hash)
        rows = values[:, model.inputs.places(features)].tolist()
        return np.array([model.value(row) for row in rows]), True

    return read_past(
        history.ports.history, BEGIN, END, from_rfc3339("2030-01-01T00:00:00Z"), [], scored,
        lambda _: None, lambda *_: None,
    )  # fmt: skip
