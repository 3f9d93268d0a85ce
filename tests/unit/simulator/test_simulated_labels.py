"""Labels: late, incomplete, sometimes wrong and corrected later, in the order of known time."""

from collections import defaultdict
from itertools import islice
from typing import get_args

import pytest

import domain.events
from domain.times import DAY
from simulator.day import Day
from simulator.labels import LABEL_HORIZON_DAYS
from simulator.records import LabelKind, SimulatedLabel, SimulatedTransaction
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation


@pytest.fixture(scope="module")
def truth(month: list[Day]) -> dict[str, SimulatedTransaction]:
    return {tx.transaction_id: tx for day in month for tx in day.transactions()}


@pytest.fixture(scope="module")
def said(month: list[Day]) -> dict[str, list[SimulatedLabel]]:
    by_id: dict[str, list[SimulatedLabel]] = defaultdict(list)
    for label in (label for day in month for label in day.labels()):
        by_id[label.transaction_id].append(label)
    return by_id


def test_labels_come_days_after_their_transactions(
    truth: dict[str, SimulatedTransaction], said: dict[str, list[SimulatedLabel]]
) -> None:
    limits = {"fraud_report": (1, 5), "chargeback": (15, 60), "genuine": (1, 20)}
    for transaction_id, labels in said.items():
        for label in labels:
            days = (label.known_at - truth[transaction_id].timestamp) / DAY
            low, high = limits.get(label.kind, (3, LABEL_HORIZON_DAYS))
            assert low - 1e-9 <= days <= high


def test_values_follow_from_kinds(said: dict[str, list[SimulatedLabel]]) -> None:
    for label in (label for labels in said.values() for label in labels):
        assert label.value == (label.kind in ("fraud_report", "chargeback"))


def test_kinds_are_those_that_labels_have() -> None:
    assert set(get_args(LabelKind)) < set(get_args(domain.events.LabelKind))


def test_references_are_unique(said: dict[str, list[SimulatedLabel]]) -> None:
    references = [label.reference for labels in said.values() for label in labels]
    assert len(set(references)) == len(references)


def test_reversals_refer_to_an_earlier_claim_on_honest_payments(
    truth: dict[str, SimulatedTransaction], said: dict[str, list[SimulatedLabel]]
) -> None:
    claims = {"reversal": "fraud_report", "representment": "chargeback"}
    reversed_ = 0
    for transaction_id, labels in said.items():
        for label in (label for label in labels if label.kind in claims):
            (claim,) = [other for other in labels if other.kind == claims[label.kind]]
            assert claim.known_at < label.known_at
            assert claim.value == 1
            assert not truth[transaction_id].fraud
            reversed_ += 1
    assert reversed_ > 20


def test_every_wrong_claim_is_put_right(
    truth: dict[str, SimulatedTransaction], said: dict[str, list[SimulatedLabel]]
) -> None:
    wrong = {i for i, labels in said.items() if labels[0].value == 1 and not truth[i].fraud}
    assert 0.0002 < len(wrong) / len(truth) < 0.001
    for transaction_id in wrong:
        assert [label.value for label in said[transaction_id]] == [1, 0]


def test_most_frauds_are_reported_and_some_never(
    truth: dict[str, SimulatedTransaction], said: dict[str, list[SimulatedLabel]]
) -> None:
    frauds = [transaction_id for transaction_id, tx in truth.items() if tx.fraud]
    silent = sum(transaction_id not in said for transaction_id in frauds)
    assert silent / len(frauds) == pytest.approx(0.08, abs=0.03)
    assert all(label.value == 1 for i in frauds for label in said.get(i, []))


def test_some_honest_payments_are_confirmed(
    truth: dict[str, SimulatedTransaction], said: dict[str, list[SimulatedLabel]]
) -> None:
    confirmed = [i for i, labels in said.items() if labels[0].kind == "genuine"]
    assert len(confirmed) / len(truth) == pytest.approx(0.01, rel=0.2)
    assert not any(truth[transaction_id].fraud for transaction_id in confirmed)


def test_nobody_confirms_what_was_reported_by_mistake() -> None:
    chosen = SimulationSettings(
        seed=2, customers=300, per_day=500, false_report_rate=0.4, confirmed_rate=0.6
    )
    mistaken: set[str] = set()
    confirmed: set[str] = set()
    for label in Simulation(chosen).day(0).labels():
        (confirmed if label.kind == "genuine" else mistaken).add(label.transaction_id)
    assert len(mistaken) > 100
    assert len(confirmed) > 100
    assert not mistaken & confirmed


def known(event: SimulatedTransaction | SimulatedLabel) -> int:
    return event.known_at if isinstance(event, SimulatedLabel) else event.timestamp


def test_events_merge_everything_by_the_time_it_is_known() -> None:
    run = Simulation(SimulationSettings(seed=3, customers=300, merchants=60, per_day=400))
    events = list(run.events(20))
    times = [known(event) for event in events]
    assert times == sorted(times)
    days = list(run.days(20))
    assert [e for e in events if isinstance(e, SimulatedTransaction)] == [
        tx for day in days for tx in day.transactions()
    ]
    labels = [event for event in events if isinstance(event, SimulatedLabel)]
    assert len(labels) == sum(len(day.labels()) for day in days) > 20
    seen: set[str] = set()
    for event in events:
        if isinstance(event, SimulatedLabel):
            assert event.transaction_id in seen
        seen.add(event.transaction_id)


def test_endless_events_are_lazy_and_agree_with_bounded_ones() -> None:
    run = Simulation(SimulationSettings(seed=3, customers=300, merchants=60, per_day=400))
    assert list(islice(run.events(), 3_000)) == list(islice(run.events(12), 3_000))


def test_events_end_at_the_moment_given() -> None:
    run = Simulation(SimulationSettings(seed=3, customers=300, merchants=60, per_day=400))
    until = run.settings.day_start(9) + DAY // 2
    events = list(run.events(first=5, until_us=until))
    assert known(events[0]) >= run.settings.day_start(5)
    assert until - DAY // 24 < known(events[-1]) < until
    assert {type(event) for event in events} == {SimulatedTransaction, SimulatedLabel}
