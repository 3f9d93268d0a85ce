"""Schedule of a route: when it may send. Pure; times are seconds of one running clock.

A message that is not taken is tried again after a pause that doubles. After so many failures in a
row the route is tripped: one message tries it at a time, and the others wait for that one.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from commands.alerts.grouping import WINDOW, Step, next_step
from commands.alerts.sending import Answer

TRIPS_AFTER = 5
LONGEST_PAUSE = 60.0


def pause_after(attempts: int, first: float, key: str) -> float:
    """Seconds: exponential, a half to all of it. By the key, so that a replay waits alike."""
    whole = min(first * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE)
    share = int.from_bytes(sha256(f"{key}/{attempts}".encode()).digest()[:4], "big") / 2**32
    return whole * (0.5 + share / 2)


@dataclass(slots=True)
class Schedule:
    """`sent` are the last messages by key, with the time of their first attempt."""

    first_pause: float = 1.0
    failures: int = 0
    closed_until: float = 0.0
    sent: dict[str, float] = field(default_factory=dict)

    @property
    def tripped(self) -> bool:
        return self.failures >= TRIPS_AFTER

    def begun(self, key: str, now: float) -> None:
        self.sent.setdefault(key, now)

    def next_step(self, waiting: int, first: float, at_most: int, now: float) -> Step:
        """What becomes of so many that wait, the first of them since `first`."""
        self.sent = {key: at for key, at in self.sent.items() if now < at + WINDOW}
        return next_step(waiting, first, at_most, self.sent.values(), now)

    def taken(self) -> None:
        self.failures, self.closed_until = 0, 0.0

    def failed(self, now: float, tried: str, attempts: int, answer: Answer) -> float:
        """When the message `tried` is tried again. One that is refused tells nothing about the
        receiver; one too many tells it of all of ours."""
        due = now + max(pause_after(attempts, self.first_pause, tried), answer.wait or 0.0)
        if not answer.refused:
            self.failures += 1
        closed = due if answer.wait is not None else 0.0
        if self.tripped and not answer.refused:
            # Those that were on their way when it tripped make it no worse than a few tries more.
            tries = self.failures - TRIPS_AFTER + 1
            closed = max(closed, now + pause_after(tries, self.first_pause, tried))
        self.closed_until = max(self.closed_until, closed)
        return due
