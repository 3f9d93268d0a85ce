"""Published rules in a decision: they act, are recorded, and are silent about what is unknown."""

from typing import Any

import pytest

from commands.policy.active import ActivePolicy
from commands.policy.adapters.cel import CelLanguage
from domain.events import DeclaredList, Envelope, ListEntry, Rule
from domain.policy.lists.published import NO_LISTS, Lists
from domain.policy.rules.ruling import RuleSet
from domain.policy.snapshot import PolicySnapshot
from domain.rule_values import TYPES
from domain.wording import told
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from tests.fakes.deciding import FixedScorer, deciding_process, score
from tests.fakes.lists import declared, lists_of
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)


class Broken:
    """Rules that fail."""

    names = ("amount", "lists.stolen")

    def truths(self, known: Any) -> Any:
        raise RuntimeError("a defect")


async def decided(
    rules: list[Rule],
    *,
    compiled: Any = None,
    value: float = 0.1,
    seen: tuple[DeclaredList, ...] = (),
    lists: Lists = NO_LISTS,
    **more: Any,
) -> Any:
    log = InMemoryEventLog()
    policy = ActivePolicy(
        PolicySnapshot(version=5, rules=RuleSet(3, tuple(rules), seen), lists=lists),
        FixedScorer(value),
        rules=compiled or LANGUAGE.compile(rules, seen),
    )
    with deciding_process(log, policy=policy) as context:
        made: Envelope = await score(context, **({"amount": 500} | more))
    return made


@pytest.mark.anyio
async def test_a_rule_that_holds_decides_with_its_reason_and_its_values() -> None:
    made = (await decided([rule(action="decline"), rule("small", "amount < 1.0")])).data
    assert made.outcome == "decline"
    assert made.reasons[0] == "policy.big"
    assert (made.rules.version, made.rules.fired, made.rules.not_evaluable) == (3, [0], "")
    assert made.rules.values == {"amount": made.features[0]}
    assert told(made)["policy.big"] == f"The amount is {made.features[0]:,.0f}."
    assert made.score == 0.1


@pytest.mark.anyio
async def test_features_of_an_entity_that_is_not_named_are_unknown_to_rules() -> None:
    rules = [
        rule("few", "card_count_1h < 5.0", action="decline"),
        rule("many", "!(card_count_1h < 5.0)", action="decline"),
        rule("either", "card_count_1h < 5.0 || amount > 0.0"),
    ]
    made = (await decided(rules)).data
    assert (made.rules.fired, made.rules.not_evaluable) == ([2], "0-1")
    known = (await decided(rules, card_id="c-1")).data
    assert (known.rules.fired, known.rules.not_evaluable) == ([0, 2], "")


@pytest.mark.anyio
async def test_adjusted_points_meet_the_thresholds_and_the_score_stays_the_models() -> None:
    made = (await decided([rule(action="adjust", points=85)])).data
    assert (made.score, made.rules.score, made.outcome) == (0.1, 0.1 + 0.85, "decline")


@pytest.mark.anyio
async def test_a_list_acts_through_rules_and_its_version_and_entry_are_recorded() -> None:
    words = "{lists.stolen} was reported stolen"
    rules = [
        rule("on", "lists.stolen", action="decline", words=words),
        rule("off", "!lists.stolen"),
        rule("other", "lists.other || amount > 1e9"),
    ]
    seen = (declared(), declared("other", "customer"), declared("unused"))
    lists = lists_of([ListEntry("c-1")])

    async def applied(**more: Any) -> Any:
        return (await decided(rules, seen=seen, lists=lists, **more)).data

    made = await applied(card_id="c-1", customer_id="k")
    assert (made.rules.fired, made.rules.not_evaluable) == ([0], "")
    assert (made.rules.lists, made.rules.values) == ({"stolen": 4}, {"lists.stolen": "c-1"})
    assert told(made)["policy.on"] == "c-1 was reported stolen"
    assert (await applied(card_id="c-2", customer_id="k")).rules.fired == [1]
    unknown = await applied()
    assert (unknown.rules.fired, unknown.rules.not_evaluable) == ([], "0-2")


@pytest.mark.anyio
async def test_a_name_is_compared_where_the_attribute_holds_one() -> None:
    rules = [rule("like", "lists.sdn >= 0.9", words="Like {lists.sdn}.", action="review")]
    seen = (declared("sdn", "name", "payee_name"),)
    lists = lists_of([ListEntry("Ivan Petrov")], "sdn", "name")
    for attributes, fired, unknown in (
        ({"payee_name": "PETROW, Ivan"}, [0], ""),
        ({"payee_name": "Maria Schmidt"}, [], ""),
        ({"payee_name": 7}, [], "0"),
        ({}, [], "0"),
    ):
        made = (await decided(rules, seen=seen, lists=lists, attributes=attributes)).data
        assert (made.rules.fired, made.rules.not_evaluable) == (fired, unknown)
        if fired:
            assert told(made)["policy.like"] == "Like Ivan Petrov (0.91)."


@pytest.mark.anyio
async def test_rules_that_fail_are_flagged_and_the_score_decides() -> None:
    seen, lists = (declared(),), lists_of([ListEntry("c-1")])
    rules = [rule(condition="lists.stolen", action="decline")]
    made = (await decided(rules, compiled=Broken(), value=0.8, seen=seen, lists=lists)).data
    assert (made.rules.lists, made.rules.values) == ({}, {})
    assert (made.outcome, made.rules.not_evaluable) == ("step_up", "0")
    assert "rules_failed" in made.flags


@pytest.mark.anyio
async def test_without_rules_a_decision_says_nothing_of_them() -> None:
    with deciding_process(InMemoryEventLog()) as context:
        assert (await score(context)).data.rules is None


@pytest.mark.anyio
async def test_a_hundred_rules_fit_into_a_decision() -> None:
    """Every second one unknown is the longest text; it stays within half a kilobyte."""
    rules = [
        rule(f"r-{n}", "card_count_1h > 9.0" if n % 2 else "amount > 0.0", shadow=True)
        for n in range(100)
    ]
    with_rules = await decided(rules)
    without = await decided([rule(condition="amount < 0.0")])
    assert len(encode(with_rules)) - len(encode(without)) < 500
