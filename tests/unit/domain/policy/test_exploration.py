"""Exploration: a share of declines passes, by a hash of the id, and never against a firm rule."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.alerts.message import of_alert as message_of
from commands.alerts.routing import severity_of
from domain.alerts import alert_of
from domain.events import Exploration, Path, Rule, Suppression
from domain.policy.exploration import LETS_PASS, Arm, arm_of
from domain.policy.reasons import words
from domain.policy.rollout import WHOLE
from domain.policy.rules.rule_set import hash_of
from domain.policy.rules.ruling import RULES_FAILED, RuleSet, Ruling, ruling
from domain.policy.score import Score
from domain.policy.snapshot import PolicySnapshot
from domain.policy.suppressions import suppression_of
from domain.policy.verdict import MOST_REASONS, decide
from domain.times import DAY
from tests.fakes.events import scored
from tests.fakes.rules import rule

EVERYTHING = PolicySnapshot(exploration=Arm(WHOLE, "salt"))
ids = st.text(min_size=1, max_size=8)
rules = st.lists(
    st.builds(
        lambda name, act, explore, shadow: rule(
            name, action=act, points=20 if act == "adjust" else 0, explore=explore, shadow=shadow
        ),
        st.uuids().map(lambda each: f"r-{each}"),
        st.sampled_from(["approve", "review", "step_up", "decline", "adjust"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=4,
)


def ruled(found: list[Rule]) -> Ruling:
    return ruling(RuleSet(0, tuple(found)), [True] * len(found), "t-1")


@given(st.floats(0, 1), rules, st.sampled_from(["full", "fallback", "deadline"]), st.booleans())
def test_only_declines_that_no_firm_rule_is_behind_are_explored(
    value: float, found: list[Rule], path: Path, failed: bool
) -> None:
    flags = [RULES_FAILED] if failed else []
    without = decide(Score(value, []), PolicySnapshot(), path, flags, ruled(found), "t-1")
    made = decide(Score(value, []), EVERYTHING, path, flags, ruled(found), "t-1")
    firm = [
        each for each in found if not each.shadow and each.action != "approve" and not each.explore
    ]
    if without.outcome != "decline" or path != "full" or failed or firm:
        assert made == without
        return
    assert made.exploration == Exploration(share=WHOLE, explored=True)
    assert made.outcome == "approve"
    assert made.reasons == [LETS_PASS, *without.reasons][:MOST_REASONS]


@given(ids, st.integers(0, WHOLE), st.integers(0, WHOLE))
def test_who_passes_at_a_share_passes_at_every_greater_one(name: str, a: int, b: int) -> None:
    less, more = (Arm(share, "salt").of(name, "full", [], None) for share in sorted((a, b)))
    assert less is not None
    assert more is not None
    assert not less.explored or more.explored
    assert (less.share, more.share) == tuple(sorted((a, b)))


def test_about_the_share_passes_and_another_salt_lets_others_pass() -> None:
    def passed(salt: str) -> set[int]:
        arm = Arm(500, salt)
        made = ((n, arm.of(f"t-{n}", "full", [], None)) for n in range(20_000))
        return {n for n, each in made if each is not None and each.explored}

    first, second = passed("a"), passed("b")
    # 1,000 of 20,000 are expected, with a standard deviation of 31.
    assert 850 < len(first) < 1150
    assert 850 < len(second) < 1150
    assert len(first & second) < 100


def test_what_is_declined_by_chance_says_so() -> None:
    policy = PolicySnapshot(exploration=Arm(1, "salt"))
    made = decide(Score(0.95, []), policy, "full", transaction_id="t-1")
    assert (made.outcome, made.exploration) == ("decline", Exploration(share=1, explored=False))


@pytest.mark.parametrize("share", [0, -1])
def test_no_share_explores_nothing(share: int) -> None:
    assert arm_of(share, "salt") is None


def test_a_rule_that_may_be_explored_gives_its_set_another_hash_and_no_other_rule_does() -> None:
    before = "4bc69d92eade"  # of this rule before there was exploration
    assert hash_of([rule()]) != hash_of([rule(explore=True)])
    assert hash_of([rule()]).startswith(before)


def test_what_passes_raises_the_alert_of_a_decline_and_may_be_silenced_like_one() -> None:
    fact = scored("t-1")
    told = Exploration(share=50, explored=True)
    data = replace(fact.data, outcome="approve", reasons=[LETS_PASS], exploration=told)
    alert = alert_of(replace(fact, data=data), "tests", 1)
    assert alert is not None
    assert (alert.data.outcome, alert.data.reasons) == ("approve", [LETS_PASS])
    assert severity_of(alert, []) == "high"
    assert "let pass" in message_of(alert, "high", "key").title
    quiet = Suppression(
        name="q", begins=data.transaction.timestamp, until=data.transaction.timestamp + DAY,
        reason="test", owner="ann", cards=["c-1"],
    )  # fmt: skip
    of_card = replace(data, transaction=replace(data.transaction, card_id="c-1"))
    assert suppression_of(of_card, [quiet], None) == "q"
    assert alert_of(replace(fact, data=replace(data, exploration=None)), "tests", 1) is None


def test_it_has_words_of_its_own() -> None:
    assert "let pass" in words(LETS_PASS)
