"""Playing of alerts: what each route would have sent, and when.

Which routes take an alert, and whether what waits goes out alone or as a digest, is asked of what
delivery asks itself (commands/alerts/routing.py, commands/alerts/grouping.py). One worker delivers,
and receivers take every message at once: outages of theirs, and so the breaker, are not played.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from commands.alerts.grouping import WINDOW, next_step
from commands.alerts.routing import takes
from domain.events import Envelope, Route, RuleSeverity
from domain.times import SECOND


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that nothing silences; `routes` are those in force when it was raised."""

    alert: Envelope
    severity: RuleSeverity
    routes: Sequence[Route]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message begun at `at`, about `number` alerts from the one numbered `first` on."""

    at: float
    first: int
    number: int
    digest: bool


RouteAt = Callable[[float], Route | None]
"""The definition of a route at a time; None while it is withdrawn."""


def messages(route_at: RouteAt, arrivals: Sequence[float]) -> list[Sent]:
    """What a route sends of alerts that came at these times: seconds of one clock, ascending.

    What waits while the route is withdrawn is dropped.
    """
    made: list[Sent] = []
    begun: deque[float] = deque()
    first, now = 0, 0.0
    while first < len(arrivals):
        now = max(now, arrivals[first])
        waiting = bisect_right(arrivals, now, first) - first
        route = route_at(now)
        if route is None:
            first += waiting
            continue
        while begun and now >= begun[0] + WINDOW:
            begun.popleft()
        step = next_step(waiting, arrivals[first], route.at_most, begun, now)
        if step.what == "wait":
            now = step.look
            continue
        digest = step.what == "digest"
        each, times = (waiting, 1) if digest else (1, waiting)
        made += [Sent(now, first + number * each, each, digest) for number in range(times)]
        begun.extend([now] * times if route.at_most else ())
        first += waiting
    return made


@dataclass(frozen=True, slots=True)
class Played:
    """Of one route: `taken` numbers the alerts that it took, which `sent` counts through.

    Times of `sent` are seconds after `began` (microseconds UTC).
    """

    route: Route
    taken: Sequence[int]
    began: int
    sent: Sequence[Sent]


def play(
    told: Sequence[Told], changes: Mapping[str, Sequence[tuple[int, Route | None]]]
) -> list[Played]:
    """Of alerts in the order in which they were raised.

    `changes` has by name each definition of a route from a known time on (microseconds UTC),
    ascending; before the first of them it is the first.
    """
    taken: dict[str, list[int]] = {name: [] for name in changes}
    for number, each in enumerate(told):
        for route in each.routes:
            if takes(route, each.alert, each.severity):
                taken[route.name].append(number)
    return [_played(told, taken[name], changes[name]) for name in changes]


def _played(
    told: Sequence[Told], taken: Sequence[int], changes: Sequence[tuple[int, Route | None]]
) -> Played:
    raised = [told[number].alert.known_time for number in taken]
    began = raised[0] if raised else 0
    arrivals = [(each - began) / SECOND for each in raised]
    since = [(each - began) / SECOND for each, _ in changes]

    def at(now: float) -> Route | None:
        return changes[max(bisect_right(since, now) - 1, 0)][1]

    shown = next(route for _, route in reversed(changes) if route is not None)
    return Played(shown, taken, began, messages(at, arrivals))
