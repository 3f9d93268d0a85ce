"""The gate lets a model pass that is no worse beyond noise, and says why it refuses another."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import Thresholds
from domain.features.payments import Payments
from domain.times import DAY
from inference.evaluation import metrics
from inference.evaluation.costs import Costs, cost_of_each, money
from inference.evaluation.gate.comparison import Scored, compared
from inference.evaluation.gate.gate import Candidate, InForce, judged
from inference.evaluation.gate.report import GateLimits, GateReport
from inference.evaluation.gate.resampling import units_of
from inference.evaluation.measures import AS_KNOWN
from inference.frame.frame import Floats, Frame

AT = Thresholds(review=0.3, step_up=0.6, decline=0.8)
LIMITS, COSTS = GateLimits(), Costs()
ROWS = 3000
seeds = st.integers(0, 2**32 - 1)


def frame(seed: int = 1, rows: int = ROWS) -> Frame:
    """A tenth is fraud; one of three features says something of it."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.1).astype(float)
    vectors = random.normal(size=(rows, 3))
    vectors[:, 1] -= labels
    vectors[random.random((rows, 3)) < 0.1] = np.nan
    payments = Payments(
        random.integers(1, rows // 4, rows),
        random.integers(500, 20_000, rows),
        np.zeros(rows, dtype=bool),
        np.repeat(labels[:, np.newaxis], 4, axis=1).astype(np.int8),
    )
    times = np.sort(random.integers(0, 50 * DAY, rows))
    return Frame(
        vectors, labels, times, np.ones(rows), ("a", "b", "c"), "f", 80 * DAY, payments=payments
    )


def scores(of: Frame, noise: float, seed: int = 2) -> Floats:
    random = np.random.default_rng(seed)
    return 1 / (1 + np.exp(2 - 4 * of.labels - noise * random.normal(size=len(of))))


def new(of: Frame, scored: Floats, exported: Floats | None = None) -> Candidate:
    return Candidate(of, Scored(scored, AT), scored if exported is None else exported)


def champion(scored: Floats, **facts: Any) -> InForce:
    return replace(InForce("old", Scored(scored, AT)), **facts)


def gate(candidate: Candidate, against: InForce | None = None) -> GateReport:
    return judged(candidate, against, COSTS, LIMITS)


def refused(report: GateReport) -> list[str]:
    return list(dict.fromkeys(each.name for each in report.refused))


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_a_model_passes_beside_itself(seed: int) -> None:
    payments = frame(seed, 800)
    same = scores(payments, 2.0, seed)
    report = gate(new(payments, same), champion(same))
    assert [each.says for each in report.refused] == []
    assert report.measures[AS_KNOWN].difference["average_precision"].high == 0


def test_a_worse_model_is_refused_with_the_figures_of_both() -> None:
    payments = frame()
    report = gate(new(payments, scores(payments, 3.0)), champion(scores(payments, 1.0)))
    assert refused(report) == ["model in force", "cost"]
    at = report.measures[AS_KNOWN]
    assert f"{at.new['average_precision'].value:.3f}" in report.reason
    assert f"{at.in_force['average_precision'].value:.3f} of old" in report.reason
    assert "\n" not in report.reason
    assert gate(new(payments, scores(payments, 1.0)), champion(scores(payments, 3.0))).passed


@given(seeds, st.floats(0, 1), st.floats(0.5, 5))
@settings(max_examples=8, deadline=None)
def test_lower_scores_of_frauds_never_make_a_refused_model_pass(
    seed: int, share: float, noise: float
) -> None:
    payments = frame(seed, 800)
    before = scores(payments, 3.0, seed)
    against = champion(scores(payments, noise, seed + 1))
    lowered = (payments.labels == 1) & (np.random.default_rng(seed).random(800) < share)
    worse = np.where(lowered, before / 3, before)
    first, second = gate(new(payments, before), against), gate(new(payments, worse), against)
    assert set(refused(first)) - {"cost"} <= set(refused(second))


@given(seeds)
@settings(max_examples=5, deadline=None)
def test_the_order_of_payments_does_not_matter(seed: int) -> None:
    payments, order = frame(seed, 600), np.random.default_rng(seed).permutation(600)
    models = [Scored(scores(payments, noise, seed), AT) for noise in (1.0, 2.0)]
    mixed = [replace(each, scores=each.scores[order]) for each in models]
    one = compared(payments, models, COSTS, 20)[AS_KNOWN].difference
    other = compared(payments.take(order), mixed, COSTS, 20)[AS_KNOWN].difference
    for name, each in one.items():
        found = other[name]
        assert (each.value, each.low, each.high) == pytest.approx(
            (found.value, found.low, found.high), abs=1e-9
        )


@given(seeds, st.integers(1, 4))
@settings(max_examples=8, deadline=None)
def test_measures_are_those_of_the_model_card(seed: int, digits: int) -> None:
    payments = frame(seed, 700)
    payments = replace(
        payments, labels=np.where(payments.vectors[:, 0] > 1, np.nan, payments.labels)
    )
    rounded = np.round(scores(payments, 2.0, seed), digits)  # with ties
    found = compared(payments, [Scored(rounded, AT)], COSTS, 20)[AS_KNOWN].new
    rows = payments.row_weights() > 0
    about = payments.labels[rows], rounded[rows], payments.row_weights()[rows]
    assert found["average_precision"].value == pytest.approx(metrics.average_precision(*about))
    assert found["auc"].value == pytest.approx(metrics.auc(*about))
    assert found["brier"].value == pytest.approx(metrics.brier(*about))
    amounts = payments.payments.amounts[rows] if payments.payments else None
    spent = money(about[0], about[1], amounts, about[2], AT, COSTS)  # type: ignore[arg-type]
    assert found["cost"].value == pytest.approx(1 - (spent.saved_share or 0))


def test_the_cost_of_each_payment_adds_up_to_the_money() -> None:
    payments, ones = frame(), np.ones(ROWS)
    assert payments.payments is not None
    scored, amounts = scores(payments, 2.0), payments.payments.amounts
    made = money(payments.labels, scored, amounts, ones, AT, COSTS)
    each = cost_of_each(payments.labels, scored, amounts, AT, COSTS)
    assert made.without_model - made.saved == pytest.approx(each.sum())


def test_intervals_hold_the_true_difference_about_as_often_as_they_say() -> None:
    everything = frame(5, 40_000)
    models = [Scored(scores(everything, noise, 7), AT) for noise in (2.0, 2.4)]
    true = compared(everything, models, COSTS, 20)[AS_KNOWN].difference["average_precision"].value
    held = 0
    for part in range(40):
        rows = slice(part * 1000, (part + 1) * 1000)
        some = [replace(each, scores=each.scores[rows]) for each in models]
        measured = compared(everything.take(rows), some, COSTS, 20)[AS_KNOWN]
        held += (
            measured.difference["average_precision"].low
            <= true
            <= measured.difference["average_precision"].high
        )
    assert 34 <= held <= 40


def test_only_payments_that_neither_has_learnt_from_are_compared() -> None:
    payments = frame()
    good, bad = scores(payments, 1.0), scores(payments, 4.0)
    until = int(payments.times[ROWS // 2])
    later = payments.times > until
    report = gate(new(payments, np.where(later, good, bad)), champion(bad, learnt_until=until))
    assert report.passed
    assert report.measures[AS_KNOWN].payments == later.sum()
    turned = gate(new(payments, np.where(later, bad, good)), champion(good, learnt_until=until))
    assert "model in force" in refused(turned)


def test_where_too_few_payments_are_new_to_both_they_are_not_compared() -> None:
    payments = frame()
    until = int(payments.times[-30])
    report = gate(
        new(payments, scores(payments, 1.5)), champion(scores(payments, 0.5), learnt_until=until)
    )
    assert report.passed
    assert "not comparable with old: " in report.checks[0].says
    assert report.measures[AS_KNOWN].payments == ROWS
    assert not report.measures[AS_KNOWN].difference


@pytest.mark.parametrize(
    ("against", "says"),
    [(None, "no model is in force"), (InForce("old", None, "old is altered"), "old is altered")],
)
def test_without_a_model_to_compare_with_that_is_said(against: InForce | None, says: str) -> None:
    payments = frame()
    report = gate(new(payments, scores(payments, 1.5)), against)
    assert (report.passed, report.checks[0].says) == (True, says)


def test_the_most_mature_labels_that_suffice_decide_too() -> None:
    payments = frame()
    assert payments.payments is not None
    matured = payments.payments.matured.copy()
    matured[:, 2:] = -1
    truth = np.where(np.arange(ROWS) % 10 == 0, 1, 0)
    matured[:, 1] = truth
    payments = replace(payments, payments=replace(payments.payments, matured=matured))
    same = scores(payments, 1.0)
    knows = scores(replace(payments, labels=truth.astype(float)), 0.1)
    report = gate(new(payments, same), champion(np.where(knows > 0.5, knows, same * 0.9)))
    assert list(report.measures) == [AS_KNOWN, "7 days", "30 days"]
    says = [each.says for each in report.refused if each.name == "model in force"]
    assert any("labels as known after 30 days" in each for each in says)


def test_declined_payments_are_left_out() -> None:
    payments = frame()
    assert payments.payments is not None
    declined = np.arange(ROWS) % 3 == 0
    payments = replace(payments, payments=replace(payments.payments, declined=declined))
    same = scores(payments, 1.0)
    report = gate(new(payments, same), champion(same))
    assert report.measures[AS_KNOWN].payments == (~declined).sum()


def test_a_model_far_below_the_measures_of_the_one_in_force_is_refused() -> None:
    payments = frame()
    worse = new(payments, scores(payments, 3.0))
    recorded = {"average_precision": 0.95, "auc": 0.99}
    unknown = champion(scores(payments, 3.0), learnt_until=80 * DAY, recorded=recorded)
    report = gate(worse, unknown)
    assert refused(report) == ["fall"]
    assert "against 0.950 (0.1 lower is allowed)" in report.reason
    assert report.refused[0].worse > report.refused[0].allowed == 0.1
    assert gate(worse, replace(unknown, recorded=None)).passed
    near = {name: each.value for name, each in report.measures[AS_KNOWN].new.items()}
    assert gate(worse, replace(unknown, recorded=near)).passed


def test_a_model_that_ranks_worse_than_one_feature_is_refused() -> None:
    payments = frame()
    payments.vectors[:, 1] = np.where(
        payments.labels == 1, -2.0, np.random.default_rng(3).normal(size=ROWS)
    )
    report = gate(new(payments, scores(payments, 4.0)))
    assert refused(report) == ["single feature"]
    assert "of b alone, its least values first" in report.reason
    assert report.refused[0].features == ("b",)


def test_unknown_values_of_a_feature_come_last() -> None:
    payments = frame()
    payments.vectors[:, 1] = np.where(payments.labels == 1, np.nan, 1.0)
    assert gate(new(payments, scores(payments, 3.0))).passed


@pytest.mark.parametrize("constant", [0.5, 0.0, 1.0])
def test_scores_that_hardly_vary_are_refused(constant: float) -> None:
    payments = frame()
    report = gate(new(payments, np.full(ROWS, constant)))
    assert "spread" in refused(report)


def test_scores_that_are_no_numbers_are_refused() -> None:
    payments = frame()
    broken = scores(payments, 1.0)
    broken[7] = np.nan
    for made in (new(payments, broken), new(payments, scores(payments, 1.0), broken)):
        report = gate(made, champion(scores(payments, 1.0)))
        assert [each.says for each in report.checks] == ["1 of 3,000 scores are no numbers"]


def test_a_last_fit_that_failed_is_refused() -> None:
    payments = frame()
    report = gate(new(payments, scores(payments, 1.0), scores(payments, 6.0)))
    assert refused(report) == ["as exported"]


def test_payments_of_a_card_are_drawn_together_and_others_alone() -> None:
    payments = frame()
    assert payments.payments is not None
    holders = np.array([5, 0, 9, 5, 0])
    few = replace(
        payments.take(slice(0, 5)),
        payments=replace(payments.payments.take(slice(0, 5)), holders=holders),
    )
    units = units_of(few)
    assert units[0] == units[3]
    assert len(set(units.tolist())) == 4
    bare = replace(payments, payments=None)
    assert units_of(bare).max() + 1 == len(np.unique(payments.times // DAY))


def test_the_report_is_json() -> None:
    payments = frame()
    facts = gate(new(payments, scores(payments, 1.0)), champion(scores(payments, 1.0))).facts()
    assert facts["passed"] is True
    assert set(facts["measures"][AS_KNOWN]["new"]) == {
        "average_precision", "auc", "brier", "calibration", "cost",
    }  # fmt: skip
    assert {each["name"] for each in facts["checks"]} >= {"model in force", "spread"}
