"""Back-pressure of an import: it waits for the readers of the log, and for live decisions.

As a sender of TCP has a window of what is not acknowledged yet, an import has one of records that
the online features have not read. It grows while live decisions are in time, and halves when too
many are not. While decisions are made, what there is room for is appended in small portions: a
decision that lands behind many records at once waits until its process has read them. Why it is so:
docs/adr/0056-imports-give-way.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

AT_ONCE = 50
"""Records that are appended between two calls."""
# Beyond twice the greatest the features of decisions are flagged: see projections.online.telling.
_LEAST, _FIRST, _GREATEST = 4_000, 20_000, 50_000
# At most so many records are appended between two looks, and while decisions are made.
_BETWEEN, _BETWEEN_LIVE = 10_000, 2_000
# A look costs an answer of Kafka; a portion must not land before most of the last one was read.
_LOOK_SECONDS, _PORTION_SECONDS = 0.2, 0.005
# Nobody has asked for a decision in so many looks: nobody is waited for.
_QUIET_LOOKS = 20
# At the beginning it is not known whether decisions go on: where there were any, they may.
_UNKNOWN_LOOKS = 3
_P99, _SLOW_SHARE = 0.99, 0.01
# With fewer decisions before it, an import has nothing to be compared with but the objective.
_ENOUGH, _OBJECTIVE_SECONDS = 100, 0.1


@dataclass(frozen=True, slots=True)
class LiveDecisions:
    """Since the deciding process has started: `within` counts by seconds those that took no longer.

    `worse` were answered with an error, without the model, or with features that were too old.
    """

    count: int = 0
    within: Mapping[float, int] = field(default_factory=dict)
    worse: int = 0

    def late(self, seconds: float) -> int:
        return self.count - self.within.get(seconds, self.count)


@dataclass(frozen=True, slots=True)
class Load:
    """Records of the log that are unread: by the slowest of its readers (`behind`), and by the
    online features (`unread`). `decisions` is None where no process tells of any."""

    behind: int
    unread: int
    decisions: LiveDecisions | None


class BackPressure:
    """`look` tells the load now, `wait` lets so many seconds pass. `most` bounds what the slowest
    reader has still to read; 0: nothing does."""

    def __init__(self, look: Callable[[], Load], wait: Callable[[float], None], most: int) -> None:
        self._look, self._wait, self._most = look, wait, most
        self.window = _FIRST
        self._room = 0
        self._before: LiveDecisions | None = None
        self._latest = LiveDecisions()
        self._slow, self._limit, self._allowed = 0, _OBJECTIVE_SECONDS, _SLOW_SHARE
        self._quiet = _QUIET_LOOKS

    def __call__(self, count: int) -> None:
        """Returns once so many records more, at most AT_ONCE, may be appended."""
        while self._room < count:
            self._room = self._found_room()
            if self._room < count:
                self._wait(_LOOK_SECONDS)
        self._room -= count
        if self._live:
            self._wait(_PORTION_SECONDS)

    @property
    def _live(self) -> bool:
        return self._quiet < _QUIET_LOOKS

    def _found_room(self) -> int:
        load = self._look()
        self._judge(load.decisions)
        room = self._most - load.behind if self._most else _BETWEEN
        if self._live:
            room = min(room, self.window - load.unread, _BETWEEN_LIVE)
        return min(room, _BETWEEN)

    def _judge(self, now: LiveDecisions | None) -> None:
        self._quiet += 1
        if now is None:
            # A process that has just decided and does not answer is as bad as one that is late.
            self.window = max(_LEAST, self.window // 2)
            return
        if self._before is None or now.count < self._latest.count:
            # At the beginning, and where the process was started again.
            self._before, self._latest, self._slow = now, now, 0
            self._quiet = _QUIET_LOOKS - _UNKNOWN_LOOKS if now.count else _QUIET_LOOKS
            self._limit = limit_of(now)
            self._allowed = _SLOW_SHARE
            if now.count >= _ENOUGH:
                self._allowed += now.late(self._limit) / now.count
            return
        if now.count == self._latest.count:
            return
        slow = now.late(self._limit) - self._before.late(self._limit)
        slow += now.worse - self._before.worse
        allowed = 1 + self._allowed * (now.count - self._before.count)
        if slow <= allowed:
            self.window = min(_GREATEST, self.window * 5 // 4)
        elif slow > self._slow:
            self.window = max(_LEAST, self.window // 2)
        self._latest, self._slow, self._quiet = now, slow, 0


def limit_of(idle: LiveDecisions) -> float:
    """Seconds that a decision may take: the greatest bound of the histogram that is no more than
    twice the p99 before the import, and at least the bound that the p99 lies below."""
    if idle.count < _ENOUGH:
        return _OBJECTIVE_SECONDS
    bounds, wanted = sorted(idle.within), _P99 * idle.count
    below, had = 0.0, 0
    for bound in bounds:
        if idle.within[bound] >= wanted:
            share = (wanted - had) / (idle.within[bound] - had)
            p99 = below + share * (bound - below)
            return max(bound, *(each for each in bounds if each <= 2 * p99))
        below, had = bound, idle.within[bound]
    return bounds[-1]
