"""Backtests of policies: over columns the live policy decides as it did live, one by one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts import alert_of
from domain.cases import case_id_of
from domain.errors import InvalidInputError
from domain.events import Thresholds, TransactionScored
from domain.features import CATALOGUE, Inputs
from domain.policy.exploration import judged
from domain.policy.thresholds import SEVERITY
from domain.times import from_rfc3339
from operations.backtest.policies.deciding import Decisions, attributes_of, decide
from operations.backtest.policies.figures import Load, compared, of_policy, on_frontier
from operations.backtest.policies.needed import needed_features
from operations.backtest.policies.past import Past, read_past
from operations.backtest.policies.policy import (
    LivePast,
    Model,
    Policy,
    candidate,
    live_past,
    live_policy,
    written,
)
from operations.backtest.policies.silenced import cases, silenced, told
from operations.backtest.policies.sweep import parse_sweep, swept
from tests.builders.decisions.backtests import BEGIN, END, FOLDER, inputs_of, paid, scored
from tests.builders.decisions.history import (
    LANGUAGE,
    MODELS,
    STOLEN,
    DecidedHistory,
    decided_history,
)
from tests.builders.decisions.steps import RULES, STEPS, play
from tests.builders.feature_streams import examples

FAR = from_rfc3339("2030-01-01T00:00:00Z")


def past_of(history: DecidedHistory, *policies: Policy) -> Past:
    return read_past(
        history.ports.history, BEGIN, END, FAR, attributes_of(policies), scored,
        lambda _: None, lambda *_: None, needed_features(policies, inputs_of, LANGUAGE),
    )  # fmt: skip


@given(st.lists(STEPS, min_size=1, max_size=12))
@examples(30)
async def test_the_live_policy_decides_over_columns_as_it_did_live(
    steps: list[tuple[str, Any, Any]],
) -> None:
    first = [("promote", 0, 0.1), ("pay", 250, "card-1")]
    with decided_history() as history:
        await play(history, [*first, *steps])
        policy = live_policy(live_past(history.log))
        past = past_of(history, policy)
        made = decide(past, policy, LANGUAGE)
        kind = frozenset({TransactionScored.NAME})
        decided = [each.envelope for each in history.ports.history.counting(kind)]
    numbers, names = silenced(past, made)
    silences = [names[number] if number >= 0 else None for number in numbers.tolist()]
    every = zip(made.scores.tolist(), made.outcomes.tolist(), silences, strict=True)
    found = dict(zip(past.made.transaction_ids.tolist(), every, strict=True))
    whole = {each.subject: each for each in decided if each.data.path == "full"}
    live = {
        name: (
            each.data.score,
            SEVERITY.index(judged(each.data.outcome, each.data.exploration)),
            each.data.suppressed_by,
        )
        for name, each in whole.items()
    }
    assert {name: found[name] for name in live} == live
    # What people get, as the cases that they work on.
    alerts = told(past, made) & np.isin(past.made.transaction_ids, list(whole))
    raised = [alert_of(each, "tests", 0) for each in whole.values()]
    loud = [each.data for each in raised if each is not None and each.data.suppressed_by is None]
    assert len(cases(past, alerts)) == len(set(map(case_id_of, loud)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(FOLDER)
    return tmp_path


def read(folder: Path, live: LivePast, model: Model | None = None) -> Policy:
    return candidate(written(folder, LANGUAGE, lambda _, text: [text]), live, model)


def tried(history: DecidedHistory, folder: Path) -> tuple[Past, Decisions, Decisions, Policy]:
    live = live_past(history.log)
    policy = read(folder, live)
    past = past_of(history, policy)
    return past, decide(past, live_policy(live), LANGUAGE), decide(past, policy, LANGUAGE), policy


def test_the_features_of_models_and_rules_are_needed_and_no_others(folder: Path) -> None:
    other = FOLDER.replace("card_count_1h", "device_count_1h")
    (folder / "policy.yaml").write_text(other)
    with decided_history() as history:
        history.promote(0, 0.5)
        live = live_past(history.log)
        policy = read(folder, live)
        of_both = needed_features([policy, live_policy(live)], inputs_of, LANGUAGE)
        own_set_alone = needed_features([policy], lambda _: Inputs("m", "f", ["a"], []), LANGUAGE)
    assert set(of_both.names) == {"amount", "card_count_1h", "device_count_1h"}
    assert own_set_alone is CATALOGUE


async def test_a_candidate_is_compared_by_money_load_and_segment(folder: Path) -> None:
    with decided_history() as history:
        await paid(history)
        past, base, made, _ = tried(history, folder)
        report = compared(past, base, made)
        alone = of_policy(past, made, Load(minutes=10.0))
    # The rule holds from the third payment on: two frauds, one without a label, one genuine.
    amount = int(past.made.payments.amounts[0])
    assert base.outcomes.tolist() == [0] * 6
    assert made.outcomes.tolist() == [0, 0, 3, 3, 3, 3]
    assert (report["changed"], report["saved"], report["lost"]) == (4, 2 * amount, 0)
    assert (report["genuine_declined"], report["alerts"]) == (1, 4)
    assert report["moves"] == {"approve to decline": 4}
    assert report["segments"]["mcc"] == {
        "5411": {name: report[name] for name in report["segments"]["mcc"]["5411"]}
    }
    assert (alone["precision"], alone["recall"]) == (2 / 3, 0.5)
    # All of one card in one day.
    assert (alone["alerts"]["total"], alone["alerts"]["cases"]) == (4, 1)
    assert alone["alerts"]["analyst_hours_per_day"] == pytest.approx(10 / 60)
    assert alone["reasons"] == {"policy.busy": 4}
    low, high = report["intervals"]["saved"]
    assert low <= report["saved"] <= high


async def test_a_sweep_moves_one_number_of_a_rule_or_a_threshold(folder: Path) -> None:
    with decided_history() as history:
        await paid(history)
        past, _, _, policy = tried(history, folder)
        by_rule = swept(past, policy, parse_sweep("busy.card_count_1h=1:5:1"), LANGUAGE,
                        lambda *_: None)  # fmt: skip
        sweep = parse_sweep("decline_threshold=0:1:0.5")
        by_threshold = swept(past, policy, sweep, LANGUAGE, lambda *_: None)
        with pytest.raises(InvalidInputError, match="compares device_count_1h with 0 numbers"):
            swept(past, policy, parse_sweep("busy.device_count_1h=1:2:1"), LANGUAGE,
                  lambda *_: None)  # fmt: skip
    assert [each["decisions_flagged"] for each in by_rule] == [5, 4, 3, 2, 1]
    assert [each["frontier"] for each in by_rule] == [True, True, True, False, True]
    assert [each["decisions_flagged"] for each in by_threshold] == [6, 4, 4]


def test_steps_of_a_sweep_are_decimal_and_bounded() -> None:
    assert parse_sweep("review_threshold=0.2:0.35:0.05").values == (0.2, 0.25, 0.3, 0.35)
    for wrong in ("a", "a=1:2", "a=1:2:0", "a=2:1:1", "a=0:1:0.001", "a=x:1:1"):
        with pytest.raises(InvalidInputError):
            parse_sweep(wrong)


async def test_a_candidate_sees_lists_as_known_at_the_time_unless_it_has_its_own(
    folder: Path,
) -> None:
    rules = [replace(RULES[1], action="decline")]
    text = FOLDER.replace("card_count_1h >= 2.0 && amount > 1.0", "lists.stolen").replace(
        "lists: []", "lists:\n  - {name: stolen, of: card, purpose: deny, owner: me}"
    )
    with decided_history() as history:
        history.promote(0, 0.5)
        history.publish(rules, [STOLEN])
        await history.pay("t-1", 1, "2023-10-01T12:00:00Z", card_id="card-1")
        history.list_cards(["card-1"])
        await history.pay("t-2", 1, "2023-10-01T12:01:00Z", card_id="card-1")
        (folder / "policy.yaml").write_text(text)
        as_known = tried(history, folder)[2].outcomes.tolist()
        (folder / "cards.csv").write_text("value\ncard-1\n")
        (folder / "policy.yaml").write_text(
            text.replace("owner: me}", "owner: me, file: cards.csv}")
        )
        own = tried(history, folder)[2].outcomes.tolist()
    assert (as_known, own) == ([0, 3], [3, 3])


async def test_a_candidate_takes_the_model_that_is_named(folder: Path) -> None:
    with decided_history() as history:
        await paid(history)
        live = live_past(history.log)
        least = Thresholds(review=0.0, step_up=0.9, decline=0.95)
        model = Model(MODELS[1].model_hash, least)
        policy = read(folder, live, model)
        past = past_of(history, policy)
        made = decide(past, policy, LANGUAGE)
    wanted, _ = scored(MODELS[1].model_hash, past.made.features, past.made.values)
    assert made.scores.tolist() == wanted.tolist()
    assert made.outcomes.tolist() == [1, 1, 3, 3, 3, 3]


async def test_published_thresholds_count_before_those_of_models_unless_the_folder_has_its_own(
    folder: Path,
) -> None:
    with decided_history() as history:
        await paid(history)
        history.set_thresholds(0.4)
        live = live_past(history.log)
        model = Model(MODELS[1].model_hash, Thresholds(review=0.3, step_up=0.9, decline=0.95))

        def least(model: Model | None = None) -> float:
            policy = read(folder, live, model)
            return policy.stretches[-1][1].thresholds.review

        in_force = [least(), least(model), live_policy(live).stretches[0][1].thresholds.review]
        written = folder / "thresholds.yaml"
        written.write_text("thresholds: {review: 0.2, step_up: 0.5, decline: 0.6}")
        own = [least(), least(model)]
        written.write_text("thresholds: {}")
        withdrawn = [least(), least(model)]
    assert (in_force, own, withdrawn) == ([0.4] * 3, [0.2] * 2, [0.5, 0.3])


def test_the_frontier_has_what_nothing_beats() -> None:
    points = [(1, 9), (2, 5), (3, 5), (4, 1), (4, 2)]
    made = [{"alerts_per_day": a, "missed_fraud": m} for a, m in points]
    assert on_frontier(made) == [True, True, False, True, False]
