"""Simulated traffic, written to files or a stream: transactions, and labels as they are known."""

import time
from collections.abc import Callable

from domain.times import DAY
from simulator.due_labels import DueLabels
from simulator.output.files import Output
from simulator.simulation import Simulation

_FULL_SPEED_ROWS = 10_000


def write_traffic(
    simulation: Simulation,
    days: int | None,
    transactions: Output,
    labels: Output | None,
    rate: float,
    progress: Callable[[int], None],
) -> None:
    """Endless with `days` None. `rate` is transactions per second, 0 for full speed.

    `progress` gets the number of transactions written since its last call.
    """
    due = DueLabels()
    wait = _rate_limiter(rate)
    rows = max(1, min(_FULL_SPEED_ROWS, int(rate / 10))) if rate else _FULL_SPEED_ROWS
    for day in simulation.days(days):
        for batch in day.batches(rows):
            wait(len(batch))
            transactions.write(batch)
            progress(len(batch))
        if labels:
            due.add(day.labels())
            labels.write_labels(due.before(day.start_us + DAY))
    if labels:
        labels.write_labels(due.rest())


def _rate_limiter(rate: float) -> Callable[[int], None]:
    """Waits until so many more may be sent. What is late is sent at once, never dropped."""
    begun, sent = time.monotonic(), 0

    def wait(count: int) -> None:
        nonlocal sent
        if rate:
            time.sleep(max(0.0, begun + sent / rate - time.monotonic()))
            sent += count

    return wait
