"""Schedule that replays history in scaled time."""

from collections.abc import Callable

from domain.times import SECOND

# Shorter waits cost more than they are worth; the sum of the waits stays exact.
_LEAST_SECONDS = 0.002


class ReplaySchedule:
    """Holds the caller back until `rate` seconds of history have each taken one second.

    History that goes back in time is not waited for.
    """

    def __init__(
        self, rate: float, monotonic: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._rate, self._monotonic, self._sleep = rate, monotonic, sleep
        self._begun: tuple[float, int] | None = None

    def __call__(self, moment: int) -> None:
        if self._begun is None:
            self._begun = (self._monotonic(), moment)
        started, first = self._begun
        wait = started + (moment - first) / SECOND / self._rate - self._monotonic()
        if wait >= _LEAST_SECONDS:
            self._sleep(wait)
