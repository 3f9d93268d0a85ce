"""Ruling: how the rules of a set combine to an outcome."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Outcome, Rule, Thresholds
from domain.policy.rules.numbers import as_text, from_text
from domain.policy.rules.rule_set import (
    ACTIONS,
    SEVERITIES,
    faults_of,
    filled,
    hash_of,
    sentences_of,
)
from domain.policy.rules.ruling import RuleSet, Ruling, Truth, Value, ruling
from domain.policy.thresholds import outcome, severity
from tests.fakes.rules import rule

LIMITS = Thresholds(review=0.5, step_up=0.7, decline=0.9)


def ruled(*pairs: tuple[Rule, Truth]) -> Ruling:
    return ruling(RuleSet(7, tuple(r for r, _ in pairs)), [truth for _, truth in pairs], "t-1")


@pytest.mark.parametrize(
    ("actions", "score", "expected"),
    [
        ([], 0.95, "decline"),
        (["approve"], 0.95, "approve"),
        (["approve", "review"], 0.95, "review"),
        (["review", "decline", "step_up"], 0.1, "decline"),
        (["review"], 0.95, "decline"),
        (["step_up"], 0.1, "step_up"),
    ],
)
def test_the_severest_wins_and_an_approval_overrules_the_score_alone(
    actions: list[Outcome], score: float, expected: Outcome
) -> None:
    made = ruled(*((rule(f"r-{a}", action=a), True) for a in actions))
    assert made.outcome(score, LIMITS) == expected


def test_points_are_added_before_the_thresholds_and_the_score_stays_within_its_bounds() -> None:
    made = ruled(
        (rule("up", action="adjust", points=30), True),
        (rule("down", action="adjust", points=-5), True),
        (rule("unsure", action="adjust", points=50), None),
    )
    assert made.score(0.5) == 0.75
    assert made.outcome(0.5, LIMITS) == "step_up"
    assert made.score(0.9) == 1.0


def test_what_is_unknown_a_shadow_or_outside_its_share_does_not_act_and_is_recorded() -> None:
    made = ruled(
        (rule("a", action="decline"), None),
        (rule("b", action="decline", shadow=True), True),
        (rule("c", action="decline", share=0), True),
        (rule("d", action="decline"), False),
        (rule("e", action="decline"), None),
    )
    assert made.outcome(0.1, LIMITS) == "approve"
    applied = made.applied(0.1, {})
    assert (applied.fired, applied.shadow, applied.not_evaluable) == ([], [1, 2], "0,4")
    assert applied.version == 7


def test_reasons_come_by_weight_then_severity_then_place_each_once() -> None:
    made = ruled(
        (rule("a", severity="low"), True),
        (rule("b", severity="high"), True),
        (rule("c", action="decline", severity="low"), True),
        (rule("b2", code="b"), True),
        (rule("d", severity="low"), True),
    )
    assert made.reasons == ("policy.c", "policy.b", "policy.a", "policy.d")


def test_a_decision_records_the_values_that_the_words_of_fired_rules_name() -> None:
    made = ruled((rule("a", words="{amount} in {transaction.country}, usually {x}"), True))
    known: dict[str, Value] = {"amount": 5.0, "transaction.country": "DE", "score": 0.1}
    assert made.applied(0.2, known).values == {"amount": 5.0, "transaction.country": "DE"}
    assert filled("{amount} of {x}", lambda name: name.upper()) == "AMOUNT of X"


rules = st.builds(
    lambda action, level, points: (action, level, points or 1),
    st.sampled_from(ACTIONS),
    st.sampled_from(SEVERITIES),
    st.integers(-100, 100),
).map(lambda t: (t[0], t[1], t[2] if t[0] == "adjust" else 0))


@given(
    st.lists(st.tuples(rules, st.sampled_from([True, False, None])), max_size=8),
    st.floats(0, 1),
    st.randoms(),
)
def test_the_order_of_rules_changes_no_outcome_and_none_is_milder_than_its_severest_rule(
    drawn: list[tuple[tuple[str, str, int], Truth]], score: float, chance: Random
) -> None:
    pairs = [
        (rule(f"r-{n}", action=action, severity=level, points=points), truth)
        for n, ((action, level, points), truth) in enumerate(drawn)
    ]
    made = ruled(*pairs)
    mixed = list(pairs)
    chance.shuffle(mixed)
    assert ruled(*mixed).outcome(score, LIMITS) == made.outcome(score, LIMITS)
    held = [r.action for r, truth in pairs if truth]
    for action in held:
        if action != "adjust":
            assert severity(made.outcome(score, LIMITS)) >= severity(action)
    if not held:
        assert made.outcome(score, LIMITS) == outcome(score, LIMITS)
        assert made.score(score) == score


@given(st.sets(st.integers(0, 600)))
def test_numbers_come_back_from_their_text(numbers: set[int]) -> None:
    assert from_text(as_text(sorted(numbers))) == sorted(numbers)


def test_equal_sets_have_equal_hashes_and_each_field_counts() -> None:
    assert hash_of([rule()]) == hash_of([rule()])
    others = [rule(owner="x"), rule(shadow=True), rule(share=5), rule(condition="score > 0.1")]
    assert len({hash_of([each]) for each in [rule(), *others]}) == 5


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("name", {"name": "Big Rule", "code": "big"}),
        ("code", {"code": "a.b"}),
        ("words", {"words": " "}),
        ("words", {"words": "{amout}"}),
        ("action", {"action": "block"}),
        ("severity", {"severity": "p1"}),
        ("owner", {"owner": ""}),
        ("share", {"share": 10_001}),
        ("points", {"points": 5}),
        ("points", {"action": "adjust"}),
        ("points", {"action": "adjust", "points": 101}),
    ],
)
def test_what_is_wrong_with_a_rule_is_named_by_its_field(
    field: str, changed: dict[str, Any]
) -> None:
    assert [name for name, _ in faults_of(rule(**changed), ["amount"])] == [field]
    assert faults_of(rule(), ["amount"]) == []


def test_a_decision_records_the_words_of_its_weightiest_reasons_and_the_values_they_name() -> None:
    rules = [rule(f"r{n}", words=f"{n}: {{v{n}}}") for n in range(7)]
    rules.append(rule("last", code="r0", action="decline", words="{v0} and {gone}"))
    made = ruled(*((each, True) for each in rules))
    applied = made.applied(0.1, {f"v{n}": float(n) for n in range(9)})
    assert applied.words["policy.r0"] == "{v0} and {gone}"
    assert len(applied.words) == 5
    assert applied.values == {f"v{n}": float(n) for n in range(5)}
    assert sentences_of(applied)["policy.r0"] == "0 and unknown"
    assert sentences_of(applied)["policy.r4"] == "4: 4"


@pytest.mark.parametrize(
    ("value", "text"), [(4.0, "4"), (1234.5, "1,234.50"), ("DE", "DE"), (0.125, "0.12")]
)
def test_values_are_shown_as_people_write_them(value: float | str, text: str) -> None:
    made = ruled((rule("a", words="{v} here"), True)).applied(0.1, {"v": value})
    assert sentences_of(made) == {"policy.a": f"{text} here"}


def test_without_rules_there_are_no_sentences_of_theirs() -> None:
    assert sentences_of(None) == {}
