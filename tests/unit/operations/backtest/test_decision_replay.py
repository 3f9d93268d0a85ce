"""Replay of decisions: what is promised is compared bit by bit, the rest is only counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from commands.policy.adapters.cel import CelLanguage
from commands.ports import CompiledRules
from domain.events import ListEntry, RulesApplied, Thresholds, TransactionScored
from domain.features import CATALOGUE, Inputs
from domain.features.payments import Payments
from domain.policy.lists.published import NO_LISTS
from domain.policy.rules.ruling import RuleSet
from domain.policy.score import Score
from domain.rule_values import TYPES
from domain.transactions import Transaction
from operations.backtest.decision_replay import DecisionReplay, replay_decisions
from projections.replay.dataset import Dataset
from tests.fakes.events import scored
from tests.fakes.lists import declared, lists_of, published
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)

FIRST, SECOND = CATALOGUE.names[3], CATALOGUE.names[1]
HASH = "a" * 64
THRESHOLDS = Thresholds(review=0.5, step_up=0.7, decline=0.9)


@dataclass(frozen=True)
class Halving:
    """Half of the first value, with a reason; looks at two features of all."""

    model_id: str = "halving"
    model_hash: str = HASH
    fingerprint: str = "here"
    blocking: bool = False

    @property
    def inputs(self) -> Inputs:
        definitions = {f.name: f.definition for f in CATALOGUE.features}
        names = (FIRST, SECOND)
        return Inputs("halving", "other", names, [definitions[name] for name in names])

    def value(self, values: Sequence[float | None]) -> float:
        return (values[0] or 0.0) / 2

    def score(self, transaction: Transaction, values: Sequence[float | None]) -> Score:
        return Score(self.value(values), [f"model.{FIRST}"])


def vector(first: float, second: float | None) -> list[float | None]:
    values: list[float | None] = [None] * len(CATALOGUE)
    values[CATALOGUE.names.index(FIRST)] = first
    values[CATALOGUE.names.index(SECOND)] = second
    return values


def decision(name: str, **fields: Any) -> TransactionScored:
    given: dict[str, Any] = {
        "score": 0.3,
        "reasons": [f"model.{FIRST}", "flag.no_card"],
        "flags": ["no_card"],
        "feature_set": CATALOGUE.hash,
        "features": vector(0.6, None),
        "model_id": "halving",
        "thresholds": THRESHOLDS,
        "fingerprint": "here",
    }
    made: TransactionScored = replace(scored(name).data, **given | fields)
    return made


def history(*names: str, values: Sequence[float | None] = tuple(vector(0.6, None))) -> Dataset:
    numbers = np.array([[math.nan if v is None else v for v in values]] * len(names))
    some = np.zeros(len(names), dtype=np.int64)
    nothing = np.zeros((len(names), 0), dtype=np.int8)
    payments = Payments(some, some, some.astype(bool), nothing)
    ids = np.array(names, dtype=object)
    return Dataset(CATALOGUE, some, ids, some, some, some, numbers, payments)


WORDS = "{amount} of {score}"
RULES = [rule(condition="score > 0.2", words=WORDS, action="decline")]


def rules_of(version: int) -> tuple[RuleSet, CompiledRules] | None:
    return (RuleSet(7, tuple(RULES)), LANGUAGE.compile(RULES)) if version == 7 else None


def replayed(
    decisions: Sequence[TransactionScored], past: Dataset, *scores: float
) -> DecisionReplay:
    return replay_decisions(
        decisions, Halving(), past, np.array(scores), rules_of, lambda _: NO_LISTS
    )


def by_rules(**fields: Any) -> TransactionScored:
    """A decision that the rule declined."""
    given: dict[str, Any] = {
        "version": 7,
        "fired": [0],
        "shadow": [],
        "not_evaluable": "",
        "score": 0.3,
        "words": {"policy.big": WORDS},
        "values": {"score": 0.3},
    }
    reasons = ["policy.big", f"model.{FIRST}", "flag.no_card"]
    rules = RulesApplied(**given | fields)
    return decision("t-0", outcome="decline", reasons=reasons, rules=rules)


def test_a_decision_by_rules_is_given_again_by_the_set_that_it_names() -> None:
    found = replayed([by_rules()], history("t-0"), 0.3)
    assert found == DecisionReplay(decisions=1, compared=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 6},
        {"fired": []},
        {"not_evaluable": "0"},
        {"score": 0.4},
        {"words": {}},
        {"values": {}},
    ],
)
def test_rules_that_a_record_does_not_give_again_are_found(fields: dict[str, Any]) -> None:
    found = replayed([by_rules(**fields)], history("t-0"), 0.3)
    assert found == DecisionReplay(decisions=1, compared=1, record_differs=1)


@pytest.mark.parametrize(
    ("entries", "versions", "differs"),
    [
        ({"lists.stolen": "c-1"}, {"stolen": 4}, 0),
        # Taken off the list later, or never on it.
        ({"lists.stolen": "c-1"}, {"stolen": 9}, 1),
        ({"lists.stolen": "c-1"}, {}, 1),
        ({}, {"stolen": 4}, 1),
    ],
)
def test_a_list_is_looked_up_in_as_the_decision_knew_it(
    entries: dict[str, str], versions: dict[str, int], differs: int
) -> None:
    rules = [rule(condition="lists.stolen", words="It was.", action="decline")]
    seen = (declared(),)
    pair = RuleSet(7, tuple(rules), seen), LANGUAGE.compile(rules, seen)
    before = lists_of([ListEntry("c-1")])
    gone = published([], batch="x", parts=0)
    by_version = {-1: NO_LISTS, 4: before, 9: before.apply(gone, 9)}
    made = by_rules(words={"policy.big": "It was."}, values=entries, lists=versions)
    made = replace(made, transaction=replace(made.transaction, card_id="c-1"))
    found = replay_decisions(
        [made], Halving(), history("t-0"), np.array([0.3]), lambda _: pair, by_version.__getitem__
    )
    assert found == DecisionReplay(decisions=1, compared=1, record_differs=differs)


def test_equal_decisions_differ_in_nothing() -> None:
    past = history("t-0", "t-1")
    found = replayed([decision("t-0"), decision("t-1")], past, 0.3, 0.3)
    assert found == DecisionReplay(decisions=2, compared=2)
    assert not found.differ


@pytest.mark.parametrize(
    "fields",
    [
        {"score": math.nextafter(0.3, 1)},
        {"outcome": "review"},
        {"thresholds": Thresholds(review=0.2, step_up=0.7, decline=0.9)},
        {"reasons": ["flag.no_card"]},
        {"flags": []},
        {"features": vector(0.7, None)},
    ],
)
def test_a_record_that_does_not_give_its_own_decision_is_found(fields: dict[str, Any]) -> None:
    made = decision("t-0", **fields)
    found = replayed([made], history("t-0"), made.score)
    assert found == DecisionReplay(decisions=1, compared=1, record_differs=1)
    assert found.differ


def test_a_score_that_differs_in_the_replay_is_found_with_its_cause() -> None:
    made, late = decision("t-0"), 0.4
    found = replayed([made], history("t-0"), late)
    assert found == DecisionReplay(decisions=1, compared=1, replay_differs=1)
    assert found.differ
    served_late = history("t-0", values=vector(0.8, None))
    found = replayed([made], served_late, late)
    assert found == DecisionReplay(decisions=1, compared=1, replay_differs=1, served_otherwise=1)
    assert not found.differ


def test_features_that_the_model_ignores_do_not_count_as_served_otherwise() -> None:
    past = history("t-0")
    past.values[0, CATALOGUE.names.index(FIRST) + 1] = 5.0
    found = replayed([decision("t-0")], past, 0.4)
    assert found.served_otherwise == 0


@pytest.mark.parametrize("fields", [{"fingerprint": "there"}, {"feature_set": "older"}])
def test_decisions_of_other_machines_or_features_are_only_counted(fields: dict[str, Any]) -> None:
    made = decision("t-0", score=0.9, **fields)
    found = replayed([made], history("t-0"), 0.3)
    assert found == DecisionReplay(decisions=1)
    assert not found.differ


@pytest.mark.parametrize("fields", [{"model_hash": "b" * 64}, {"path": "fallback"}])
def test_decisions_of_another_model_or_of_rules_are_left_out(fields: dict[str, Any]) -> None:
    made = [decision("t-0", **fields), decision("t-9")]
    assert replayed(made, history("t-0"), 0.3) == DecisionReplay()
