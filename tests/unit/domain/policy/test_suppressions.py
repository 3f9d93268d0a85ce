"""A suppression silences alerts of its payments, within its time, and decides nothing."""

from dataclasses import replace
from typing import Any

import pytest

from domain.alerts import alert_of
from domain.events import RulesApplied, Suppression
from domain.policy.rules.ruling import RuleSet
from domain.policy.suppressions import LONGEST, faults_of_suppression, suppression_of
from tests.fakes.events import NOW, scored, transaction
from tests.fakes.rules import rule

RULES = RuleSet(
    3,
    (
        rule("busy"),
        rule("stolen", action="decline"),
        rule("odd", action="adjust", points=40),
        rule("known", action="approve"),
    ),
)


def suppression(name: str = "quiet", **more: Any) -> Suppression:
    given: dict[str, Any] = {"begins": NOW, "until": NOW + 10, "reason": "a test", "owner": "ann"}
    return Suppression(name=name, **(given | more))


def decision(outcome: str = "review", fired: list[int] | None = None, **paid: Any) -> Any:
    made = scored("t-1", outcome=outcome).data
    rules = None
    if fired is not None:
        rules = RulesApplied(version=3, fired=fired, shadow=[], not_evaluable="", score=0.25)
    return replace(made, transaction=transaction("t-1", **paid), rules=rules)


@pytest.mark.parametrize(
    ("at", "silent"), [(NOW - 1, False), (NOW, True), (NOW + 9, True), (NOW + 10, False)]
)
def test_its_time_is_judged_by_that_of_the_payment(at: int, silent: bool) -> None:
    made = decision(timestamp=at, merchant_id="m")
    found = suppression_of(made, [suppression(merchants=["m"])], RULES)
    assert found == ("quiet" if silent else None)


@pytest.mark.parametrize(
    ("about", "silent"),
    [
        ({"merchants": ["x", "m"]}, True),
        ({"merchants": ["x"]}, False),
        ({"devices": ["d"]}, False),
        ({"merchants": ["m"], "customers": ["c"]}, True),
        ({"merchants": ["m"], "customers": ["other"]}, False),
    ],
)
def test_all_that_is_named_must_hold(about: dict[str, Any], silent: bool) -> None:
    made = decision(merchant_id="m", customer_id="c")
    assert (suppression_of(made, [suppression(**about)], RULES) == "quiet") is silent


@pytest.mark.parametrize("outcome", ["approve", "step_up"])
def test_where_no_alert_is_due_nothing_is_silenced(outcome: str) -> None:
    assert suppression_of(decision(outcome), [suppression(merchants=["m"])], RULES) is None


@pytest.mark.parametrize(
    ("names", "fired", "score", "silent"),
    [
        (["busy"], [0], 0.1, True),
        (["busy"], [0], 0.7, False),
        (["busy"], [0, 1], 0.1, False),
        (["busy", "stolen"], [0, 1], 0.1, True),
        (["odd"], [2], 0.3, True),
        (["odd"], [1, 2], 0.3, False),
        (["busy"], [0, 3], 0.7, True),
        (["stolen"], [0], 0.1, False),
        (["busy"], None, 0.7, False),
    ],
)
def test_by_rules_it_silences_what_would_be_no_alert_without_them(
    names: list[str], fired: list[int] | None, score: float, silent: bool
) -> None:
    made = replace(decision("decline", fired), score=score)
    assert (suppression_of(made, [suppression(rules=names)], RULES) == "quiet") is silent


def test_the_first_in_the_set_is_the_one_that_is_named() -> None:
    both = [suppression("b", merchants=["m"]), suppression("a", merchants=["m"])]
    assert suppression_of(decision(merchant_id="m"), both, None) == "b"


def test_the_alert_is_raised_all_the_same_and_says_so() -> None:
    made = scored("t-1", outcome="review")
    silenced = replace(made, data=replace(made.data, suppressed_by="quiet"))
    raised = alert_of(silenced, "tests", NOW)
    assert raised is not None
    assert raised.data.suppressed_by == "quiet"


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"until": NOW}, "until"),
        ({"until": NOW + LONGEST + 1}, "until"),
        ({"reason": " "}, "reason"),
        ({"owner": ""}, "owner"),
        ({"name": "Quiet"}, "name"),
        ({"merchants": []}, ""),
    ],
)
def test_without_an_end_a_reason_an_owner_or_a_scope_there_is_none(
    more: dict[str, Any], key: str
) -> None:
    given = {"name": "quiet", "merchants": ["m"]} | more
    assert [at for at, _ in faults_of_suppression(suppression(**given))] == [key]
