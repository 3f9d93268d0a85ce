"""The monitor of live traffic, and the wait for projections."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import time

import pytest

from domain.errors import UnavailableError
from domain.events import Envelope
from domain.features import Entity
from eventlog.in_memory import InMemoryEventLog
from eventlog.routing import shard_of
from eventlog.topics import TRANSACTIONS
from local.demo.live.figures import Figures
from local.demo.live.monitor import DecisionMonitor, all_settled
from local.demo.projection_progress import wait_for_projections
from projections.online.port import Marker, Markers
from tests.fakes.events import scored, submitted

CARD = "card-1"


class Store:
    """The markers of the online states, moved by hand."""

    def __init__(self) -> None:
        self.at: dict[int, Marker] = {}

    def markers(self) -> Markers:
        return Markers(dict(self.at), frozenset())


@pytest.fixture
def log() -> InMemoryEventLog:
    return InMemoryEventLog()


def append(log: InMemoryEventLog, *facts: Envelope) -> None:
    for fact in facts:
        log.append_nowait(TRANSACTIONS, fact.subject, fact)


def monitor_of(log: InMemoryEventLog, figures: Figures, store: Store) -> DecisionMonitor:
    return DecisionMonitor(log, [0] * TRANSACTIONS.partitions, "t-", store.markers, figures)


def test_the_first_decision_of_an_id_counts_and_a_second_is_void(log: InMemoryEventLog) -> None:
    figures = Figures()
    monitor = monitor_of(log, figures, Store())
    append(log, submitted("t-1"), scored("t-1"), scored("t-1", outcome="decline"))
    monitor.step()
    assert figures.decisions["t-1"].outcome == "approve"
    assert monitor.counted == {"t-1": 1}
    monitor.close()


def test_transactions_of_others_are_not_ours(log: InMemoryEventLog) -> None:
    figures = Figures()
    monitor = monitor_of(log, figures, Store())
    append(log, submitted("x-1"), scored("x-1"))
    monitor.step()
    assert not figures.decisions
    assert sum(monitor.ends) == 2
    monitor.close()


def test_freshness_ends_when_the_cards_state_covers_the_decision(log: InMemoryEventLog) -> None:
    figures, store = Figures(), Store()
    monitor = monitor_of(log, figures, store)
    now = int(time() * 1_000_000)
    for number in range(3):
        decision = scored(f"t-{number}", known_time=now)
        about = replace(decision.data.transaction, card_id=CARD)
        decision = replace(decision, data=replace(decision.data, transaction=about))
        append(log, submitted(f"t-{number}"), decision)
    monitor.step()
    assert figures.freshness == []
    everything = dict.fromkeys(range(TRANSACTIONS.partitions), 99)
    store.at[shard_of(Entity.CARD, "another")] = Marker(1, everything)
    store.at[shard_of(Entity.CARD, CARD)] = Marker(1, dict.fromkeys(everything, -1))
    monitor.step()
    assert figures.freshness == []
    store.at[shard_of(Entity.CARD, CARD)] = Marker(1, everything)
    monitor.step()
    assert len(figures.freshness) == 1
    assert 0 <= figures.freshness[0] < 60_000
    monitor.close()


def test_all_is_settled_once_nothing_waits_and_nothing_lags() -> None:
    figures = Figures(acked={"t-1"}, lags={"features": 0})
    assert not all_settled(figures)
    figures.sent, figures.acked = {}, set()
    assert all_settled(figures)
    figures.lags = {"features": 1}
    assert not all_settled(figures)
    figures.lags = {}
    assert not all_settled(figures)


def test_the_wait_ends_when_nothing_lags(tmp_path: Path) -> None:
    answers: Iterator[Mapping[str, int]] = iter([{"a": 2, "b": 0}, {"a": 0, "b": 0}])
    shown: list[Mapping[str, int]] = []
    wait_for_projections(lambda: next(answers), shown.append, tmp_path)
    assert shown == [{"a": 2, "b": 0}, {"a": 0, "b": 0}]


def test_a_projection_without_progress_is_named_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"worker-b: 5 events are waiting.*worker-b\.log"):
        wait_for_projections(lambda: {"a": 0, "b": 5}, lambda _: None, tmp_path, stall_seconds=0.0)
