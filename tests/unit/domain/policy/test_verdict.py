"""A verdict follows from score, policy, path and flags, and always has reasons."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Path
from domain.features import Entity
from domain.policy.fallback import fallback
from domain.policy.reasons import SENTENCES, known_codes, words
from domain.policy.score import Score
from domain.policy.snapshot import NO_POLICY
from domain.policy.thresholds import outcome, severity
from domain.policy.verdict import MOST_REASONS, Verdict, decide
from domain.transactions import CHANNELS, Transaction
from tests.architecture.tree import ROOT
from tests.fakes.events import transaction

RAISING = ("commands/transactions/decision.py", "projections/online/reader.py")
FLAG = re.compile(r'"(no_model|model_[a-z_]+|features_[a-z_]+|[a-z]+_features|deadline_[a-z]+)"')
codes = st.lists(st.sampled_from(["model.a", "model.b", "rule.card_absent"]), max_size=6)
paths = st.sampled_from(["full", "fallback", "deadline"])
transactions = st.builds(
    Transaction,
    transaction_id=st.just("t"),
    timestamp=st.just(0),
    amount=st.integers(0, 10**12),
    currency=st.just("EUR"),
    base_amount=st.integers(0, 10**12) | st.integers(0, 10**6),
    card_id=st.none() | st.just("c"),
    mcc=st.none() | st.sampled_from(["4829", "5411"]),
    channel=st.none() | st.sampled_from(CHANNELS),
)


@given(st.floats(0, 1), codes, paths, st.lists(st.sampled_from(["no_card", "no_ip"]), max_size=3))
def test_every_verdict_has_few_distinct_reasons_and_never_none(
    value: float, reasons: list[str], path: Path, flags: list[str]
) -> None:
    verdict = decide(Score(value, reasons), NO_POLICY, path, flags)
    assert 1 <= len(verdict.reasons) <= MOST_REASONS
    assert len(set(verdict.reasons)) == len(verdict.reasons)
    assert verdict == decide(Score(value, reasons), NO_POLICY, path, flags)
    assert verdict.outcome == outcome(value, verdict.thresholds)


def test_reasons_come_as_path_then_score_then_flags() -> None:
    verdict = decide(Score(0.1, ["rule.card_absent"]), NO_POLICY, "deadline", ["no_card"])
    assert verdict.reasons == ["path.deadline", "rule.card_absent", "flag.no_card"]


def test_nothing_remarkable_is_a_reason_of_its_own() -> None:
    verdict = decide(Score(0.0, []), NO_POLICY, "full")
    assert verdict == Verdict("approve", ["score.unremarkable"], NO_POLICY.thresholds)


@given(transactions)
def test_fallback_scores_are_scores_and_explain_themselves(asked: Transaction) -> None:
    score = fallback(asked)
    assert 0 <= score.value <= 1
    assert score == fallback(asked)
    assert all(code in SENTENCES for code in score.reasons)
    assert bool(score.reasons) == (score.value > 0.02)


def test_a_larger_amount_never_has_a_milder_outcome_by_the_fallback_rules() -> None:
    for channel in (None, "pos", "atm", "transfer"):
        base = transaction(amount=0, base_amount=0, channel=channel)
        values = [
            fallback(replace(base, base_amount=amount)).value
            for amount in (0, 99, 100, 49_999, 50_000, 100_000, 499_999, 500_000, 10**12)
        ]
        assert all(low <= high for low, high in pairwise(values))


def test_the_smallest_payload_is_approved_by_the_fallback_rules() -> None:
    smallest = transaction(amount=10_000, base_amount=10_000)
    verdict = decide(fallback(smallest), NO_POLICY, "fallback")
    assert verdict.outcome == "approve"


def test_a_large_cash_like_payment_is_declined_by_the_fallback_rules() -> None:
    large = transaction(amount=600_000, base_amount=600_000, mcc="6051", channel="ecom")
    verdict = decide(fallback(large), NO_POLICY, "fallback")
    assert severity(verdict.outcome) >= severity("step_up")


def test_every_flag_that_is_raised_has_words_of_its_own() -> None:
    raised = {f"no_{entity.value}" for entity in Entity}
    for path in RAISING:
        raised |= set(FLAG.findall((ROOT / path).read_text()))
    assert len(raised) > 12
    assert {f"flag.{name}" for name in raised} <= set(known_codes())


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("rule.card_absent", "The card was not present."),
        ("model.card_count_1h", "Unusual for a genuine payment: payments of the card in an hour."),
        ("model.gone", "Unusual for a genuine payment: gone."),
        ("flag.no_card", "No card was given."),
        ("flag.something_new", "Something new."),
        ("later.family_of_codes", "Family of codes."),
    ],
)
def test_every_code_has_words(code: str, sentence: str) -> None:
    assert words(code, {"card_count_1h": "payments of the card in an hour"}) == sentence
