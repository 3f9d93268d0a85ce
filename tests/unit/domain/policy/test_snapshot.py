"""The policy is the fold of its topic, wherever the fold is cut."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import (
    ExplorationPublished,
    ListEntry,
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    RecordDeadLettered,
    Route,
    RoutesPublished,
    RulesPublished,
    Suppression,
    SuppressionsPublished,
    Thresholds,
    ThresholdsPublished,
    ThresholdsSet,
)
from domain.policy.exploration import Arm
from domain.policy.rollout import WHOLE
from domain.policy.rules.ruling import RuleSet
from domain.policy.snapshot import NO_POLICY, PolicySnapshot, fold
from tests.fakes.lists import published as list_published
from tests.fakes.lists import staged
from tests.fakes.rules import rule

limits = st.builds(
    Thresholds, review=st.floats(0, 0.3), step_up=st.floats(0.3, 0.6), decline=st.floats(0.6, 1)
)
thresholds = st.builds(ThresholdsSet, thresholds=limits, reason=st.just("test"))
hashes = st.sampled_from("abcd")
model = {"model_id": st.just("m"), "model_hash": hashes, "feature_set": st.just("f")}
models = st.builds(ModelPromoted, **model, thresholds=st.none() | limits, took_back=st.booleans())
roll_outs = st.builds(ModelRolledOut, **model, share=st.integers(0, WHOLE), thresholds=limits)
retired = st.builds(ModelRetired, model_id=st.just("m"), model_hash=hashes, reason=st.just("r"))
rule_sets = st.lists(st.builds(rule), max_size=1).map(
    lambda rules: RulesPublished(rules=rules, rules_hash="h", feature_set="f", reason="r")
)
published = st.builds(ThresholdsPublished, thresholds=st.none() | limits, reason=st.just("r"))
quiet = Suppression(name="q", begins=1, until=2, reason="r", owner="ann", merchants=["m"])
silences = st.lists(st.just(quiet), max_size=1).map(
    lambda found: SuppressionsPublished(suppressions=found, suppressions_hash="h", reason="r")
)
route_sets = st.lists(st.just(Route(name="desk", to="slack")), max_size=1).map(
    lambda routes: RoutesPublished(routes=routes, routes_hash="h", reason="r")
)
entries = st.just(ListEntry("c-1")).flatmap(
    lambda entry: st.sampled_from([staged([entry]), list_published([entry])])
)
explorations = st.builds(
    ExplorationPublished, share=st.integers(0, 2), salt=st.just("s"), reason=st.just("r")
)
not_of_models = published | explorations | silences | route_sets | entries
facts = models | thresholds | roll_outs | retired | rule_sets | not_of_models
topics = st.lists(facts, max_size=12).map(lambda data: list(enumerate(data)))


@given(topics, st.data())
def test_any_split_gives_one_policy(topic: list[tuple[int, object]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(topic)))
    assert fold(topic[cut:], start=fold(topic[:cut])) == fold(topic)


@given(topics)
def test_reading_a_record_again_changes_nothing(topic: list[tuple[int, object]]) -> None:
    snapshot = fold(topic)
    for offset, data in topic:
        assert snapshot.apply(data, offset) == snapshot


@given(topics)
def test_the_last_promotion_and_the_last_thresholds_apply(topic: list[tuple[int, object]]) -> None:
    snapshot = fold(topic)
    promoted = [data for _, data in topic if isinstance(data, ModelPromoted)]
    judged = [
        data.thresholds
        for _, data in topic
        if isinstance(data, ModelPromoted | ThresholdsSet) and data.thresholds is not None
    ]
    assert snapshot.version == len(topic) - 1
    assert snapshot.model == (promoted[-1] if promoted else None)
    assert snapshot.thresholds == (judged[-1] if judged else NO_POLICY.thresholds)


@given(topics)
def test_the_last_published_rules_apply_whatever_models_do(topic: list[tuple[int, object]]) -> None:
    published = [(n, data) for n, data in topic if isinstance(data, RulesPublished)]
    last = published[-1] if published else None
    expected = RuleSet(last[0], tuple(last[1].rules)) if last and last[1].rules else None
    assert fold(topic).rules == expected


@given(topics, models | roll_outs | retired)
def test_what_happens_to_models_leaves_all_else_as_it_was(
    topic: list[tuple[int, object]], fact: object
) -> None:
    """Whatever fields the snapshot will have: those of models are named, and no other changes."""
    before = fold(topic)
    after = before.apply(fact, len(topic))
    of_models = {"version", "model", "thresholds", "before", "roll_out"}
    others = {each.name for each in fields(PolicySnapshot)} - of_models
    assert others == {"rules", "routes", "lists", "published", "suppressions", "exploration"}
    for name in others:
        assert getattr(after, name) == getattr(before, name)


@given(topics)
def test_published_thresholds_override_those_of_every_model_until_they_are_withdrawn(
    topic: list[tuple[int, object]],
) -> None:
    said = [data.thresholds for _, data in topic if isinstance(data, ThresholdsPublished)]
    snapshot = fold(topic)
    for each in (snapshot, snapshot.challenger or snapshot):
        own = each.thresholds
        assert each.thresholds_for("full") == ((said[-1] if said else None) or own)
    assert snapshot.thresholds_for("fallback") == NO_POLICY.thresholds_for("fallback")


@given(topics)
def test_the_last_exploration_is_in_force_whichever_model_is(
    topic: list[tuple[int, object]],
) -> None:
    said = [data for _, data in topic if isinstance(data, ExplorationPublished)]
    wanted = Arm(said[-1].share, said[-1].salt) if said and said[-1].share else None
    snapshot = fold(topic)
    assert {snapshot.exploration, (snapshot.challenger or snapshot).exploration} == {wanted}


def test_unknown_events_change_the_version_alone() -> None:
    other = RecordDeadLettered(reader="r", origin="o", partition=0, offset=0, reason="r", sealed="")
    after = NO_POLICY.apply(other, 7)
    assert (after.version, after.model, after.thresholds) == (7, None, NO_POLICY.thresholds)


def test_thresholds_of_a_model_do_not_apply_to_the_fallback_rules() -> None:
    tight = Thresholds(review=0.001, step_up=0.002, decline=0.003)
    snapshot = fold([(0, ThresholdsSet(thresholds=tight, reason="test"))])
    assert snapshot.thresholds_for("full") == tight
    assert snapshot.thresholds_for("fallback") == snapshot.thresholds_for("deadline") != tight


LOW, HIGH = (
    Thresholds(review=0.1, step_up=0.2, decline=0.3),
    Thresholds(review=0.4, step_up=0.5, decline=0.6),
)


def promotion(name: str, thresholds: Thresholds = LOW, *, took_back: bool = False) -> ModelPromoted:
    return ModelPromoted(
        model_id=name, model_hash=name, feature_set="f", thresholds=thresholds, took_back=took_back
    )


def roll_out(name: str, share: int) -> ModelRolledOut:
    return ModelRolledOut(
        model_id=name, model_hash=name, feature_set="f", share=share, thresholds=HIGH
    )


def policy_of(*facts: object) -> PolicySnapshot:
    return fold(enumerate(facts))


def beneath(snapshot: PolicySnapshot) -> list[str]:
    return [each.model.model_hash for each in snapshot.before]


def test_rollbacks_go_down_the_stack_and_not_back_and_forth() -> None:
    snapshot = policy_of(promotion("a"), promotion("b"), promotion("c"))
    assert beneath(snapshot) == ["a", "b"]
    snapshot = snapshot.apply(promotion("b", took_back=True), 3)
    assert (snapshot.model, beneath(snapshot)) == (promotion("b", took_back=True), ["a"])
    snapshot = snapshot.apply(promotion("a", took_back=True), 4)
    assert beneath(snapshot) == []


def test_a_model_promoted_again_is_pushed_onto_the_champion_before_it() -> None:
    assert beneath(policy_of(promotion("a"), promotion("b"), promotion("a"))) == ["a", "b"]
    assert beneath(policy_of(promotion("a"), promotion("b"), promotion("b", HIGH))) == ["a"]


def test_a_rollback_skips_the_champions_between_and_repeating_it_changes_nothing() -> None:
    back = promotion("a", took_back=True)
    snapshot = policy_of(promotion("a"), promotion("b"), promotion("c"), back)
    assert beneath(snapshot) == []
    assert beneath(snapshot.apply(back, 4)) == []


def test_the_stack_keeps_the_last_thresholds_of_each_champion() -> None:
    by_hand = ThresholdsSet(thresholds=HIGH, reason="test")
    snapshot = policy_of(promotion("a"), by_hand, promotion("b"))
    assert (snapshot.before[0].thresholds, snapshot.thresholds) == (HIGH, LOW)


def test_the_challengers_own_thresholds_apply_to_the_transactions_of_its_share() -> None:
    snapshot = policy_of(promotion("a"), roll_out("b", WHOLE // 2))
    assert snapshot.challenger is not None
    assert snapshot.challenger.thresholds_for("full") == HIGH
    deciders = {snapshot.of(f"t-{n}").model for n in range(50)}
    assert deciders == {promotion("a"), roll_out("b", WHOLE // 2)}


@pytest.mark.parametrize(
    "end",
    [
        roll_out("b", 0),
        promotion("b"),
        promotion("c"),
        promotion("a", took_back=True),
        ModelRetired(model_id="b", model_hash="b", reason="test"),
    ],
    ids=["none", "its promotion", "another promotion", "a rollback", "retiring"],
)
def test_a_roll_out_ends(end: object) -> None:
    snapshot = policy_of(promotion("a"), roll_out("b", WHOLE), end)
    assert snapshot.of("t") is snapshot
    assert (snapshot.roll_out, snapshot.challenger) == (None, None)


def test_another_roll_out_replaces_the_first_and_another_models_retirement_does_not() -> None:
    other = ModelRetired(model_id="c", model_hash="c", reason="test")
    snapshot = policy_of(promotion("a"), roll_out("b", WHOLE), roll_out("d", WHOLE), other)
    assert snapshot.of("t").model == roll_out("d", WHOLE)


def test_the_champion_cannot_be_its_own_challenger() -> None:
    assert policy_of(promotion("a"), roll_out("a", WHOLE)).roll_out is None
