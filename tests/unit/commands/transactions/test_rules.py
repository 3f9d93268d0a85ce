"""Published rules in a decision: they act, are recorded, and are silent about what is unknown."""

from typing import Any

import pytest

from commands.policy.active import ActivePolicy
from commands.policy.adapters.cel import CelLanguage
from domain.events import Envelope, Rule
from domain.policy.rules.ruling import RuleSet
from domain.policy.snapshot import PolicySnapshot
from domain.rule_values import TYPES
from domain.wording import told
from eventlog.codec import encode
from eventlog.in_memory import InMemoryEventLog
from tests.fakes.deciding import FixedScorer, deciding_process, score
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)


class Broken:
    """Rules that fail."""

    names = ("amount",)

    def truths(self, known: Any) -> Any:
        raise RuntimeError("a defect")


async def decided(
    rules: list[Rule], *, compiled: Any = None, value: float = 0.1, **more: Any
) -> Any:
    log = InMemoryEventLog()
    policy = ActivePolicy(
        PolicySnapshot(version=5, rules=RuleSet(3, tuple(rules))),
        FixedScorer(value),
        rules=compiled or LANGUAGE.compile(rules),
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
async def test_rules_that_fail_are_flagged_and_the_score_decides() -> None:
    made = (await decided([rule(action="decline")], compiled=Broken(), value=0.8)).data
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
