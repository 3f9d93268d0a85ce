"""Events of live traffic: the bodies to send, and whether each is fraud."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import orjson

from domain.times import DAY
from local.demo.plan import HistoryPlan, LiveWindow
from simulator.due_labels import DueLabels
from simulator.output.submission import label_to_submission, to_submission
from simulator.records import SimulatedLabel, SimulatedTransaction
from simulator.simulation import Simulation

# Labels that become known later than this are too rare to look for.
_LABEL_DAYS = 60


@dataclass(frozen=True, slots=True)
class LiveTransaction:
    """`fraud` is None if unknown. `day` is the simulated day, 0 for rows of a file."""

    transaction_id: str
    body: bytes
    fraud: bool | None
    timestamp: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True)
class LiveLabel:
    """For POST /labels."""

    body: bytes


LiveEvent: TypeAlias = LiveTransaction | LiveLabel


def simulated_traffic(plan: HistoryPlan, window: LiveWindow, id_prefix: str) -> Iterator[LiveEvent]:
    """Endless: transactions of the same customers, and labels of the history as they become known.

    No time is after the window's latest: what would be is moved back by another day.
    """
    shift = window.shift_us
    due = _due_labels(plan, window)
    for day in Simulation(plan.live(id_prefix)).days(first=window.first_day):
        for transaction in day.transactions():
            if transaction.timestamp < window.begin_us:
                continue
            while transaction.timestamp + shift > window.latest_us:
                shift -= DAY
            for label in due.before(transaction.timestamp):
                yield _label(label, shift)
            yield _transaction(transaction, shift, day.index)


def _due_labels(plan: HistoryPlan, window: LiveWindow) -> DueLabels:
    due = DueLabels()
    last = min(plan.days, window.first_day)
    history = Simulation(plan.history())
    for index in range(max(0, window.first_day - _LABEL_DAYS), last):
        labels = history.day(index).labels()
        due.add(label for label in labels if label.known_at >= window.begin_us)
    return due


def _transaction(transaction: SimulatedTransaction, shift: int, day: int) -> LiveTransaction:
    moved = replace(transaction, timestamp=transaction.timestamp + shift)
    body = orjson.dumps(to_submission(moved))
    return LiveTransaction(moved.transaction_id, body, moved.fraud, moved.timestamp, day)


def _label(label: SimulatedLabel, shift: int) -> LiveLabel:
    moved = replace(label, known_at=label.known_at + shift)
    return LiveLabel(orjson.dumps(label_to_submission(moved)))
