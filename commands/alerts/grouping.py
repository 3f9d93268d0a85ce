"""Grouping: whether what waits for a route goes out each alone, waits, or goes out as one digest.

Pure; times are seconds of one running clock. Delivery asks it, and so does the replay of alerts
over the past (operations/backtest/storms), so that both send the same messages.

What it answers does not hang on when it is asked: at every moment before `look` the answer is to
wait, however many have come meanwhile.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

WINDOW = 60.0
"""Seconds in which `at_most` messages are sent, and the longest that a storm is gathered."""
GATHERING = 2.0
"""Seconds that a first alert waits for others."""


@dataclass(frozen=True, slots=True)
class Step:
    """`alone`: each is a message; `digest`: all are one; `wait`: ask again at `look`."""

    what: Literal["alone", "digest", "wait"]
    look: float = 0.0


def next_step(
    waiting: int, first: float, at_most: int, sent: Collection[float], now: float
) -> Step:
    """Of `waiting` alerts, the first of which came at `first`.

    The route sends `at_most` messages within WINDOW (0: without limit); the last ones began at the
    times `sent`.
    """
    if not at_most:
        return Step("alone")
    if now < first + GATHERING:
        return Step("wait", first + GATHERING)
    within = sorted(at for at in sent if now < at + WINDOW)
    lacking = waiting - max(0, at_most - len(within))
    if lacking <= 0:
        return Step("alone")
    if now >= first + WINDOW:
        return Step("digest")
    if waiting > at_most:
        return Step("wait", first + WINDOW)
    # Once so many of those that were sent have left the window, there is room for all.
    room = within[len(within) - at_most + waiting - 1] + WINDOW
    return Step("wait", min(room, first + WINDOW))
