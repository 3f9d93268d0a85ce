"""Figures, reconciliation and summary of the demo."""

import io

import pytest
from rich.console import Console

from local.demo.live.figures import Answer, Decision, Figures, caught, percentile
from local.demo.live.reconciliation import Reconciliation, Stored, reconcile
from local.demo.live.screen import Bars, LiveScreen
from local.demo.summary import Outcome, print_summary, to_json
from operations.monitoring.projection_lag import lags
from runtime.settings import settings_from_environment

PROMISED = {
    "decisions",
    "alerts",
    "p50_ms",
    "p99_ms",
    "freshness_p99_ms",
    "lost",
    "doubled",
    "recall",
    "precision",
    "history_transactions",
    "model_id",
    "seconds",
    "http",
    "kafka",
    "errors",
}


def decided(outcome: str, offset: int = 0, by_score: str = "") -> Decision:
    return Decision(outcome, 0.5, 0, offset, "mlp-1", by_score or outcome)


def figures() -> Figures:
    """One of each: caught, missed, false alarm, passed, and one that was stepped up."""
    found = Figures()
    outcomes = {"a": "decline", "b": "approve", "c": "review", "d": "approve", "e": "step_up"}
    found.sent = {"a": True, "b": True, "c": False, "d": False, "e": True}
    found.decisions = {name: decided(outcome) for name, outcome in outcomes.items()}
    found.answers = {name: Answer(outcomes[name], 0.5) for name in "abc"}
    found.acked = {"d", "e"}
    found.latencies = [1.0, 2.0, 3.0]
    return found


def kept(found: Figures) -> dict[str, Stored]:
    return {
        name: Stored(each.outcome, each.score, each.partition, each.offset)
        for name, each in found.decisions.items()
    }


def test_a_percentile_is_the_least_value_that_the_share_does_not_exceed() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.5) is None


def test_review_and_decline_catch_and_step_up_does_not() -> None:
    found = caught(figures())
    assert (found.caught, found.missed, found.false_alarms, found.passed) == (1, 2, 1, 1)
    assert found.recall == pytest.approx(1 / 3)
    assert found.precision == pytest.approx(1 / 2)


def test_what_the_score_alone_would_have_caught_is_told_beside() -> None:
    found = figures()
    found.decisions["b"] = decided("decline", by_score="approve")
    found.decisions["e"] = decided("step_up", by_score="review")
    told = to_json(Outcome(found, Reconciliation((), (), ()), 0, 1.0, 1.0))
    assert (told["recall"], told["recall_by_score"]) == (0.6667, 0.6667)
    assert (told["precision"], told["precision_by_score"]) == (0.6667, 0.6667)
    found.decisions["d"] = decided("step_up")
    told = to_json(Outcome(found, Reconciliation((), (), ()), 0, 1.0, 1.0))
    assert (told["stepped_up_frauds"], told["stepped_up_genuine"]) == (1, 1)
    found.decisions["c"] = decided("review", by_score="approve")
    told = to_json(Outcome(found, Reconciliation((), (), ()), 0, 1.0, 1.0))
    assert (told["precision"], told["precision_by_score"]) == (0.6667, 1.0)


def test_where_nobody_knows_the_truth_there_is_no_recall() -> None:
    found = figures()
    found.sent = dict.fromkeys(found.sent)
    assert caught(found).recall is None
    assert caught(found).precision is None


def test_all_is_balanced_if_all_acknowledged_was_decided_once() -> None:
    found = figures()
    reconciliation = reconcile(found, kept(found), dict.fromkeys(found.decisions, 1))
    assert reconciliation == Reconciliation((), (), ())
    assert reconciliation.balanced


def test_what_was_acknowledged_either_way_and_never_decided_is_lost() -> None:
    found = figures()
    del found.decisions["a"], found.decisions["d"]
    assert reconcile(found, {}, {}).lost == ("a", "d")


def test_what_was_sent_and_not_acknowledged_is_not_lost() -> None:
    found = figures()
    found.sent["f"] = False
    assert reconcile(found, kept(found), {}).lost == ()


def test_two_decisions_of_one_id_are_doubled_whoever_holds_the_second() -> None:
    found = figures()
    assert reconcile(found, kept(found), {"a": 2}).doubled == ("a",)
    elsewhere = kept(found) | {"b": Stored("approve", 0.5, 0, 99)}
    assert reconcile(found, elsewhere, {}).doubled == ("b",)
    other_score = kept(found) | {"d": Stored("approve", 0.4, 0, 0)}
    assert reconcile(found, other_score, {}).doubled == ("d",)
    found.answers["c"] = Answer("approve", 0.5)
    assert reconcile(found, kept(found), {}).doubled == ("c",)


def test_what_postgresql_lacks_is_unprojected_and_neither_lost_nor_doubled() -> None:
    found = figures()
    reconciliation = reconcile(found, {}, {})
    assert reconciliation.unprojected == ("a", "b", "c", "d", "e")
    assert reconciliation.balanced


def test_the_summary_has_every_promised_key_and_plain_values() -> None:
    found = figures()
    summary = to_json(Outcome(found, reconcile(found, kept(found), {}), 9, 30.0, 99.0))
    assert summary.keys() >= PROMISED
    assert summary["p50_ms"] == 2.0
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert summary["http"] + summary["kafka"] == summary["decisions"] == 5
    assert summary["freshness_p99_ms"] is None


def test_the_printed_summary_names_commands_and_urls() -> None:
    found, page = figures(), io.StringIO()
    outcome = Outcome(found, reconcile(found, kept(found), {}), 9, 30.0, 99.0)
    settings = settings_from_environment(api_port=8123)
    print_summary(Console(file=page, width=80), outcome, settings)
    text = page.getvalue()
    assert "no acknowledged transaction lost, none decided twice" in text
    assert "http://127.0.0.1:8123/docs" in text
    assert "./retrace alerts" in text
    assert "./retrace down" in text


def test_the_printed_summary_names_what_was_lost() -> None:
    page = io.StringIO()
    outcome = Outcome(figures(), Reconciliation(("lost-id",), (), ()), 9, 30.0, 99.0)
    print_summary(Console(file=page, width=80), outcome, settings_from_environment())
    assert "lost-id" in page.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_the_screen_fits_the_terminal(width: int, height: int) -> None:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True)
    found = figures()
    found.lags = {"features": 12_345, "offline": 0, "readmodels": 7, "evidence": 9}
    found.errors["http 503"] = 3
    lines = console.render_lines(LiveScreen(console, found, 30.0).render())
    assert len(lines) < height


def test_without_a_terminal_progress_is_plain_lines() -> None:
    page = io.StringIO()
    with Bars(Console(file=page, width=80)) as bars:
        bars.show("history", 5, 10)
    assert page.getvalue() == "history: 5 of 10\n"


def test_a_projection_that_has_no_position_yet_lags_by_all() -> None:
    assert lags({"a": {}, "b": {0: 5, 1: 9}}, [5, 10]) == {"a": 15, "b": 1}
