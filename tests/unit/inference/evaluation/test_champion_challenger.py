"""Champion and challenger: figures worked out by hand, by the maturity of labels."""

from typing import Any

import pytest

from domain.times import DAY
from inference.evaluation.champion_challenger import comparison
from operations.backtest.champion_challenger import paired_scores
from projections.readmodels.queries.pairs import Pair, Said

NOW = 1_000 * DAY


def said(score: float, outcome: str = "approve", *, decided: bool = False) -> Said:
    return Said(score, outcome, decided)


def pair(
    name: str,
    champion: Said,
    challenger: Said,
    *,
    age: int = 1,
    labels: tuple[tuple[int, int], ...] = (),
    declined: bool = False,
) -> Pair:
    """`age` in days; `labels` are (days after the payment, value)."""
    time = NOW - age * DAY
    known = tuple((time + after * DAY, value) for after, value in labels)
    return Pair(name, time, champion, challenger, declined, known)


def report(*found: Pair) -> dict[str, Any]:
    return comparison(paired_scores(found, NOW))


def test_nothing_in_common_is_a_report_without_measures() -> None:
    told = report()
    assert told["transactions"] == 0
    assert told["agreement"]["same_outcome"] is None
    assert told["by_maturity"]["as known"]["champion"]["auc"] is None
    assert told["disagreements"] == []


def test_the_switches_count_each_outcome_of_the_one_against_that_of_the_other() -> None:
    told = report(
        pair("a", said(0.1, decided=True), said(0.2)),
        pair("b", said(0.1), said(0.9, "decline")),
        pair("c", said(0.9, "decline"), said(0.9, "decline"), declined=True),
        pair("d", said(0.6, "review"), said(0.1)),
    )
    assert told["switches"]["approve"] == {"approve": 1, "review": 0, "step_up": 0, "decline": 1}
    assert told["switches"]["review"]["approve"] == 1
    assert told["switches"]["decline"]["decline"] == 1
    assert told["agreement"]["same_outcome"] == 0.5
    assert told["agreement"]["mean_difference"] == pytest.approx((0.1 + 0.8 + 0.5) / 4)
    assert (told["decided_by_champion"], told["declined"]) == (1, 1)


def test_recall_and_precision_of_declines_are_those_of_the_labelled() -> None:
    told = report(
        pair("a", said(0.9, "decline"), said(0.2), labels=((0, 1),)),
        pair("b", said(0.8, "decline"), said(0.9, "decline"), labels=((0, 0),)),
        pair("c", said(0.1), said(0.9, "decline"), labels=((0, 1),)),
        pair("d", said(0.1), said(0.1), labels=((0, 1),)),
        pair("e", said(0.1), said(0.99, "decline")),
    )["by_maturity"]["as known"]
    assert (told["frauds"], told["genuine"], told["payments"]) == (3, 1, 5)
    assert told["champion"]["recall_of_declines"] == pytest.approx(1 / 3)
    assert told["champion"]["precision_of_declines"] == 0.5
    assert told["challenger"]["recall_of_declines"] == pytest.approx(1 / 3)
    # Of frauds at .2, .9 and .1 and a genuine one at .9, one comes level with it.
    assert told["challenger"]["auc"] == pytest.approx(1 / 6)


def test_declined_payments_are_marked_and_left_out_of_the_ranking() -> None:
    told = report(
        pair("a", said(0.9, "decline"), said(0.1), labels=((0, 0),), declined=True),
        pair("b", said(0.9, "decline"), said(0.1), declined=True),
        pair("c", said(0.7), said(0.9), labels=((0, 1),)),
        pair("d", said(0.1), said(0.2), labels=((0, 0),)),
    )
    known = told["by_maturity"]["as known"]
    assert (known["censored"], known["censored_labelled"]) == (2, 1)
    # With a, whose label was told all the same, it would be one half.
    assert known["champion"]["auc"] == 1.0
    assert known["champion"]["precision_of_declines"] == 0.0
    marked = {each["transaction_id"]: each["declined"] for each in told["disagreements"]}
    assert marked == {"a": True, "b": True, "c": False, "d": False}


def test_a_label_counts_where_it_was_known_by_the_maturity_and_the_payment_is_old_enough() -> None:
    late = pair("a", said(0.9), said(0.9), age=40, labels=((20, 1),))
    reversed_later = pair("b", said(0.1), said(0.1), age=100, labels=((3, 1), (50, 0)))
    young = pair("c", said(0.5), said(0.5), age=5, labels=((1, 1),))
    told = report(late, reversed_later, young)["by_maturity"]
    assert {name: (t["payments"], t["frauds"], t["genuine"]) for name, t in told.items()} == {
        "as known": (3, 2, 1),
        "7d": (2, 1, 0),
        "30d": (2, 2, 0),
        "60d": (1, 0, 1),
        "90d": (1, 0, 1),
    }


def test_a_label_that_is_not_known_yet_is_none() -> None:
    told = report(pair("a", said(0.9), said(0.9), age=1, labels=((2, 1),)))
    assert told["by_maturity"]["as known"]["frauds"] == 0


def test_the_greatest_disagreements_come_first_and_agreements_never() -> None:
    found = [pair(f"t-{n}", said(0.0), said(n / 100)) for n in range(20)]
    told = report(*found)["disagreements"]
    assert [each["transaction_id"] for each in told] == [f"t-{n}" for n in range(19, 9, -1)]
    assert report(found[0])["disagreements"] == []
