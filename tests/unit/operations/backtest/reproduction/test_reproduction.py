"""Reproduction: the live policy over columns is held against what was decided, each difference told
by its cause."""

from collections.abc import Callable
from dataclasses import replace
from math import nextafter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Exploration, TransactionScored
from domain.features import CATALOGUE, FeatureSet
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import BACKTESTS, POLICY, TRANSACTIONS
from inference.serving.graph import kernel
from inference.serving.machine import cpu_features
from operations.backtest.laying.decided import Serving
from operations.backtest.policies.closed_loop.extract import extract
from operations.backtest.policies.deciding import attributes_of, decide
from operations.backtest.policies.needed import needed_features
from operations.backtest.policies.past import Past, read_past
from operations.backtest.policies.policy import live_past, live_policy
from operations.backtest.policies.reproduction.comparison import reproduction
from tests.builders.decisions.backtests import BEGIN, END, inputs_of, scored
from tests.builders.decisions.history import LANGUAGE, MODELS, DecidedHistory, decided_history
from tests.builders.decisions.steps import LAGGING_STEPS, RULES, play
from tests.builders.decisions.whole_past import nothing
from tests.builders.feature_streams import examples

FAR = 1 << 61
HERE = f"{kernel()}/{cpu_features()}"
Change = Callable[[TransactionScored], TransactionScored]


def past_of(history: DecidedHistory, *, served: bool) -> Past:
    policy = live_policy(live_past(history.log))
    return read_past(
        history.ports.history, BEGIN, END, FAR, attributes_of([policy]), scored, nothing, nothing,
        needed_features([policy], inputs_of, LANGUAGE),
        serving=Serving({CATALOGUE.hash: CATALOGUE}, taken=served),
    )  # fmt: skip


def found_in(
    history: DecidedHistory, *, served: bool = True, version: int | None = None
) -> dict[str, Any]:
    live = live_past(history.log)
    policy = live_policy(live)
    past = past_of(history, served=served)
    made = decide(past, policy, LANGUAGE)
    newest = live.now.version if version is None else version
    return reproduction(past, made, newest, served=served)


def with_decisions(history: DecidedHistory, change: Change) -> None:
    """The same log, but that its decisions say something else."""
    log = InMemoryEventLog()
    for topic in (POLICY, TRANSACTIONS, BACKTESTS):
        for recorded in history.log.read(topic):
            envelope = decode(recorded.value)
            if isinstance(envelope.data, TransactionScored):
                envelope = replace(envelope, data=change(envelope.data))
            log.append_nowait(topic, envelope.subject, envelope)
    history.log = log


@given(st.lists(LAGGING_STEPS, min_size=1, max_size=14))
@examples(40)
async def test_with_served_features_all_that_was_decided_live_is_decided_again(
    steps: list[tuple[str, Any, Any]],
) -> None:
    """Whatever by: no model yet, a policy or features that were behind, or none at all."""
    with decided_history() as history:
        number = await play(history, [("pay", 250, "card-1"), *steps])
        found = found_in(history)
    assert (found["decisions"], found["different"], found["causes"]) == (number, 0, {})
    assert found["reproduced"] == number


async def test_of_ideal_features_those_that_were_served_behind_are_told() -> None:
    with decided_history() as history:
        history.promote(0, 0.04)
        history.publish(RULES[:1])
        for number in range(3):
            at = f"2023-10-01T12:0{number}:00Z"
            await history.pay(f"t-{number}", 100, at, card_id="card-1")
        at = "2023-10-01T12:05:00Z"
        await history.pay_while_behind("behind", 100, at, card_id="card-1")
        served, ideal = found_in(history), found_in(history, served=False)
    assert (served["different"], served["served_behind"]) == (0, 1)
    assert (ideal["decisions"], ideal["reproduced"], ideal["different"]) == (4, 3, 1)
    assert (ideal["causes"], ideal["served_behind"]) == ({"features": 1}, 1)
    (each,) = ideal["differences"]
    assert each["transaction_id"] == "behind"
    assert each["detail"] == "card_count_1h 2.0 and not 3.0"
    assert each["recorded"].keys() == {"score"}
    weight = MODELS[0].weight
    assert each["recorded"]["score"] == weight * (100 / 1000 + 2 / 10)
    assert each["played"]["score"] == weight * (100 / 1000 + 3 / 10)


def as_path(path: Any, *flags: str) -> Change:
    return lambda data: replace(data, path=path, flags=[*data.flags, *flags])


# Each of them in place of what was recorded; the names are those of what is told to differ.
PLANTED: dict[str, tuple[Change, str, set[str]]] = {
    "fallback": (as_path("fallback", "model_unavailable"), "fallback", {"path"}),
    "deadline": (as_path("deadline", "deadline_passed"), "deadline", {"path"}),
    "rules": (
        lambda data: replace(data, flags=["rules_failed"], reasons=[]), "rules", {"reasons"},
    ),
    "policy": (lambda data: replace(data, policy_version=99, score=0.1), "policy", {"score"}),
    "model": (lambda data: replace(data, model_hash="b" * 64), "model", {"model"}),
    "features": (
        lambda data: replace(data, feature_set="b" * 16, score=0.1), "features", {"score"},
    ),
    "runtime": (lambda data: replace(data, score=0.1), "runtime", {"score"}),
    "bits": (
        lambda data: replace(data, score=nextafter(data.score, 1.0), fingerprint=HERE),
        "unknown", {"score"},
    ),
    "outcome": (lambda data: replace(data, outcome="review"), "unknown", {"outcome"}),
    "reasons": (
        lambda data: replace(data, reasons=["policy.other", *data.reasons]), "unknown", {"reasons"},
    ),
    "suppressed": (lambda data: replace(data, suppressed_by="quiet"), "unknown", {"suppressed"}),
    "explored": (
        lambda data: replace(data, exploration=Exploration(share=5, explored=True)), "unknown",
        {"explored"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
async def test_a_planted_difference_is_found_under_its_cause(name: str) -> None:
    change, cause, what = PLANTED[name]
    with decided_history() as history:
        history.promote(0, 0.5)
        history.publish(RULES[:1])
        for number in range(4):
            at = f"2023-10-01T12:0{number}:00Z"
            await history.pay(f"t-{number}", 100, at, card_id="card-1")
        whole = found_in(history, served=False)
        with_decisions(
            history, lambda data: change(data) if data.transaction.transaction_id == "t-3" else data
        )
        found = found_in(history, served=False)
    assert whole["different"] == 0
    assert (found["reproduced"], found["different"], found["causes"]) == (3, 1, {cause: 1})
    (each,) = found["differences"]
    assert (each["transaction_id"], each["cause"]) == ("t-3", cause)
    assert each["recorded"].keys() == each["played"].keys() == what


async def test_a_process_that_was_behind_is_played_by_the_policy_that_it_had() -> None:
    """The known time of its decision is after a promotion of which it did not know."""
    with decided_history() as history:
        history.promote(0, 0.5)
        with history.unaware():
            history.promote(1, 0.1)
            history.publish(RULES[2:4])
            await history.pay("t-0", 800, "2023-10-01T12:00:00Z", card_id="card-1")
        await history.pay("t-1", 800, "2023-10-01T12:01:00Z", card_id="card-1")
        past = past_of(history, served=False)
        policy = live_policy(live_past(history.log))
        made = decide(past, policy, LANGUAGE)
        by_time = decide(past, replace(policy, by_version=()), LANGUAGE)
        found = found_in(history, served=False)
        rows = np.arange(1)
        alone = decide(extract(past, rows, past.made.values[rows]), policy, LANGUAGE)
    assert found["different"] == 0
    # A closed loop decides some of them again by themselves.
    assert alone.scores[0] == made.scores[0]
    weights = [model.weight for model in MODELS]
    assert made.scores[0] == weights[0] * 0.8
    assert by_time.scores[0] == weights[1] * 0.8
    assert by_time.scores[1] == made.scores[1]


async def test_what_was_decided_by_rules_is_decided_so_again_where_features_are_as_served() -> None:
    with decided_history() as history:
        history.promote(0, 0.5)
        history.publish(RULES[:1])
        for number in range(2):
            await history.pay(f"t-{number}", 1, f"2023-10-01T12:0{number}:00Z", card_id="card-1")
        # The rule would hold, had it seen how many there are.
        await history.pay_while_away("away", 900, "2023-10-01T12:02:00Z", card_id="card-1")
        served, ideal = found_in(history), found_in(history, served=False)
    assert (served["different"], ideal["different"]) == (0, 1)
    assert ideal["causes"] == {"fallback": 1}
    assert ideal["differences"][0]["detail"].endswith("features_unavailable")


async def test_a_sweep_of_a_threshold_moves_none_of_the_fallback_rules() -> None:
    with decided_history() as history:
        history.promote(0, 0.5)
        await history.pay("t-0", 100, "2023-10-01T12:00:00Z", card_id="card-1")
        await history.pay_while_away("away", 900, "2023-10-01T12:02:00Z", card_id="card-1")
        past, policy = past_of(history, served=True), live_policy(live_past(history.log))
        made = decide(past, policy, LANGUAGE)
    assert made.outcomes.tolist() == [0, 0]
    assert made.at("swept", review=0.0).outcomes.tolist() == [1, 0]


async def test_no_more_reasons_are_compared_than_a_decision_has() -> None:
    many = [replace(RULES[3], name=f"r{n}", code=f"r{n}", share=10_000) for n in range(7)]
    with decided_history() as history:
        history.promote(0, 0.5)
        history.publish(many)
        await history.pay("t-0", 900, "2023-10-01T12:00:00Z", card_id="card-1")
        found = found_in(history)
    assert (found["decisions"], found["different"]) == (1, 0)


async def test_exploration_is_played_from_its_publication_on_and_not_against_a_firm_rule() -> None:
    with decided_history() as history:
        history.promote(1, 0.1)
        history.set_thresholds(0.05)
        history.publish(RULES[2:3])

        async def pay(name: str, number: int) -> None:
            for each in range(number):
                await history.pay(f"{name}-{each}", 900, f"2023-10-01T12:0{each}:00Z")

        await pay("before", 2)
        history.explore(5000)
        await pay("explored", 8)
        history.publish([*RULES[2:3], replace(RULES[3], share=10_000)])
        await pay("firm", 2)
        found = found_in(history)
        kind = frozenset({TransactionScored.NAME})
        decided = [each.envelope.data for each in history.ports.history.counting(kind)]
    arms = {each.transaction.transaction_id: each.exploration for each in decided}
    passed = [arm.explored for arm in arms.values() if arm is not None]
    assert (len(passed), set(passed)) == (8, {True, False})
    assert (found["decisions"], found["different"], found["causes"]) == (12, 0, {})


async def test_a_feature_that_was_not_served_is_the_ideal_one(tmp_path: Path) -> None:
    """A decision of another version, whose set had the one feature that the model looks at."""
    own = FeatureSet(f for f in CATALOGUE.features if f.name == "card_count_1h")
    serving = Serving({own.hash: own}, taken=True)
    with decided_history() as history:
        history.promote(0, 0.5)
        await history.pay("t-0", 100, "2023-10-01T12:00:00Z", card_id="card-1")
        with_decisions(history, lambda data: replace(data, feature_set=own.hash, features=[7.0]))
        past = read_past(
            history.ports.history, BEGIN, END, FAR, (), scored, nothing, nothing, serving=serving
        )
    by_name = dict(zip(past.made.features.names, past.made.values[0].tolist(), strict=True))
    assert (by_name["card_count_1h"], by_name["amount"]) == (7.0, 100.0)
