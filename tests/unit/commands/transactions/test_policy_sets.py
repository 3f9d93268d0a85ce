"""Decisions under published thresholds and suppressions: of one snapshot, replayed as they were."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import Context
from commands.policy.active import ActivePolicy, PolicyWatch
from commands.policy.adapters.cel import CelLanguage
from commands.policy.suppressions import publish_suppressions
from commands.policy.thresholds import publish_thresholds
from domain.events import (
    Envelope,
    ModelPromoted,
    RulesPublished,
    Suppression,
    SuppressionsPublished,
    Thresholds,
    ThresholdsPublished,
)
from domain.features import CATALOGUE
from domain.policy.score import Score
from domain.policy.snapshot import fold
from domain.policy.suppressions import suppression_of
from domain.policy.verdict import decide
from domain.rule_values import TYPES, apply_rules, known_values
from domain.times import DAY, from_rfc3339
from eventlog.codec import decode, encode
from eventlog.in_memory import InMemoryEventLog
from host.processes import wait_until
from tests.fakes.deciding import FixedScorer, deciding_process, score
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)
PAID = from_rfc3339("2023-10-01T12:34:56Z")
RULES = [rule("big", "amount > 100.0"), rule("huge", "amount > 1000.0", action="decline")]


def suppression(name: str, begins: int = PAID, **more: Any) -> Suppression:
    return Suppression(
        name=name, begins=begins, until=begins + DAY, reason="test", owner="ann", **more
    )


limits = st.sampled_from([0.05, 0.2, 0.6]).map(
    lambda least: Thresholds(review=least, step_up=0.9, decline=0.95)
)
suppressions = st.lists(
    st.sampled_from(
        [
            suppression("m", merchants=["m-1"]),
            suppression("past", PAID - DAY, merchants=["m-1"]),
            suppression("big", rules=["big"]),
            suppression("both", merchants=["m-2"], rules=["big", "huge"]),
        ]
    ),
    unique_by=lambda each: each.name,
)
silences = st.builds(
    SuppressionsPublished,
    suppressions=suppressions,
    suppressions_hash=st.just(""),
    reason=st.just(""),
)
rule_sets = st.lists(st.sampled_from(RULES), unique_by=lambda each: each.name).map(
    lambda rules: RulesPublished(rules=rules, rules_hash="", feature_set="", reason="")
)
others = st.one_of(
    st.builds(ThresholdsPublished, thresholds=st.none() | limits, reason=st.just("")),
    st.builds(
        ModelPromoted,
        model_id=st.just("m"),
        model_hash=st.sampled_from("ab"),
        feature_set=st.just(""),
        thresholds=st.none() | limits,
    ),
)
# Most topics have rules and suppressions at once, or there would be little to silence.
topics = st.tuples(
    rule_sets, others, silences, st.lists(others | silences | rule_sets, max_size=5)
).map(lambda found: [*found[:3], *found[3]])


class Process:
    """Decides under the policy that it is given; one of them serves all examples."""

    def __init__(self, context: Context) -> None:
        self._context, self._made = context, count()

    def decided(self, topic: list[Any], at: int, **paid: Any) -> Any:
        """What the log holds of a decision at version `at` of the topic."""
        snapshot = fold(list(enumerate(topic))[: at + 1])
        rules = LANGUAGE.compile(snapshot.rules.rules) if snapshot.rules else None
        policy = ActivePolicy(snapshot, FixedScorer(0.3), rules=rules)
        given = {"transaction_id": f"t-{next(self._made)}", **paid}
        made: Envelope = asyncio.run(score(replace(self._context, policy=lambda: policy), **given))
        return decode(encode(made)).data


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with deciding_process(InMemoryEventLog()) as context:
        yield Process(context)


@settings(max_examples=60, deadline=None)
@given(
    topic=topics,
    at=st.sampled_from([-1, 1, 2, 3, 7]),
    amount=st.sampled_from([50, 500, 5000]),
    merchant=st.sampled_from(["m-1", "m-2"]),
)
def test_replay_from_the_record_gives_the_same_thresholds_outcome_and_suppression(
    process: Process, topic: list[Any], at: int, amount: int, merchant: str
) -> None:
    data = process.decided(topic, at, amount=amount, merchant_id=merchant)
    # What the policy topic holds after the version that the decision names must not matter.
    known = fold(each for each in enumerate(topic) if each[0] <= data.policy_version)
    ruling = None
    if known.rules is not None:
        compiled = LANGUAGE.compile(known.rules.rules)
        values = known_values(
            compiled.names, data.transaction, CATALOGUE, data.features, data.flags, data.path,
            data.score,
        )  # fmt: skip
        ruling, applied = apply_rules(
            known.rules, compiled.truths, values, data.flags, data.transaction.transaction_id,
            data.score,
        )  # fmt: skip
        assert applied == data.rules
    verdict = decide(Score(data.score, []), known, data.path, data.flags, ruling)
    assert (verdict.thresholds, verdict.outcome) == (data.thresholds, data.outcome)
    assert suppression_of(data, known.suppressions, known.rules) == data.suppressed_by


def test_a_payment_that_is_reviewed_is_silenced_and_stays_reviewed(process: Process) -> None:
    published = RulesPublished(rules=RULES, rules_hash="", feature_set="", reason="")
    silence = SuppressionsPublished(
        suppressions=[suppression("m", merchants=["m-1"])], suppressions_hash="", reason=""
    )
    made = process.decided([published, silence], 1, amount=500, merchant_id="m-1")
    assert (made.outcome, made.suppressed_by) == ("review", "m")
    other = process.decided([published, silence], 1, amount=500, merchant_id="m-2")
    assert (other.outcome, other.suppressed_by) == ("review", None)


def test_both_are_in_force_without_a_restart() -> None:
    log = InMemoryEventLog()
    watch = PolicyWatch(log, lambda _: FixedScorer(0.5), LANGUAGE.compile)
    watch.start()
    low = Thresholds(review=0.1, step_up=0.2, decline=0.3)
    silence = [suppression("m", merchants=["m-1"])]
    try:
        publish_thresholds(log, low, "", 1)
        publish_suppressions(log, silence, "", 2)
        assert wait_until(lambda: watch.current().snapshot.version == 1, 10)
    finally:
        watch.close()
        log.close()
    snapshot = watch.current().snapshot
    assert snapshot.thresholds_for("full") == low
    assert snapshot.suppressions == tuple(silence)
