"""Plan of a demo: sizes, seeds, and the times of its history and live traffic."""

import math
from dataclasses import dataclass

from domain.times import DAY
from operations.log.imports import ImportOptions
from simulator.settings import SimulationSettings

DAYS = 90
SECONDS = 30.0
RATE = 60.0

# Live events are spread over as much of the past as the history would need for so many, so that
# their velocities are those of the history. At most this many days; then times start again a day
# earlier.
_LONGEST_LIVE_DAYS = 3.0
# For days with less traffic than the mean.
_MARGIN = 1.35


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What the user asked for; `days` is None unless given. `rate` is transactions per second.

    `data` is a file to use in place of simulated payments, as `retrace ingest` reads it. With
    `default_policy` the policy that ships is published before live traffic; without it whatever is
    in force goes on.
    """

    days: int | None = None
    seconds: float = SECONDS
    rate: float = RATE
    data: ImportOptions | None = None
    default_policy: bool = False

    @property
    def transactions(self) -> int:
        """Number of live transactions."""
        return max(1, math.ceil(self.seconds * self.rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPlan:
    """Simulated history is a function of this plan alone, so that it can be continued.

    Times are microseconds UTC. Days after the history are simulated for live traffic.
    """

    start_us: int
    id_prefix: str
    days: int = DAYS
    seed: int = 7
    per_day: float = 1_000.0
    customers: int = 500
    merchants: int = 100
    fraud_rate: float = 0.01
    live_fraud_rate: float = 0.03
    confirmed_rate: float = 0.05

    @property
    def end_us(self) -> int:
        return self.start_us + self.days * DAY

    def history(self) -> SimulationSettings:
        return self._simulation(self.fraud_rate, self.id_prefix)

    def live(self, id_prefix: str) -> SimulationSettings:
        """The same customers and merchants, with more fraud, so that there is some to see."""
        return self._simulation(self.live_fraud_rate, id_prefix)

    def _simulation(self, fraud_rate: float, id_prefix: str) -> SimulationSettings:
        return SimulationSettings(
            seed=self.seed,
            start_us=self.start_us,
            customers=self.customers,
            merchants=self.merchants,
            per_day=self.per_day,
            fraud_rate=fraud_rate,
            id_prefix=id_prefix,
            confirmed_rate=self.confirmed_rate,
        )


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """Live traffic starts at `begin_us` of simulated time, and is moved in time by `shift_us`.

    The shift is in whole days, so that hours of the day are kept. No moved time is after
    `latest_us`.
    """

    first_day: int
    begin_us: int
    shift_us: int
    latest_us: int


def plan_history(now: int, request: DemoRequest) -> HistoryPlan:
    """History that ends where live traffic begins, with ids of its own."""
    days = request.days or DAYS
    probe = HistoryPlan(start_us=now, id_prefix="", days=days)
    start = now - live_span(probe, request.transactions) - days * DAY
    return HistoryPlan(start_us=start, id_prefix=f"demo-{now // 1_000_000:x}-", days=days)


def live_span(plan: HistoryPlan, transactions: int) -> int:
    """How much simulated time so many transactions take, in microseconds."""
    days = transactions / plan.per_day * _MARGIN
    return int(min(days, _LONGEST_LIVE_DAYS) * DAY)


def plan_live(
    plan: HistoryPlan, now: int, transactions: int, first_day: int, after_us: int
) -> LiveWindow:
    """Simulated days from `first_day` on, at times after `after_us` if they fit before `now`.

    Otherwise they are in the last hours before `now`, and customers pay more often than before.
    """
    begin = max(after_us, plan.end_us)
    if begin > now - live_span(plan, transactions):
        begin = max(plan.end_us, now - live_span(plan, transactions))
    first_us = plan.start_us + first_day * DAY
    shift = (begin - first_us) // DAY * DAY
    return LiveWindow(first_day, begin - shift, shift, now)


def live_prefix(now: int) -> str:
    """Different for every run, and sorted by time."""
    return f"live-{now // 1_000:x}-"
