"""Stragglers: events that come after vectors that should have counted them.

A record acknowledged late and an import of older history are such. The vectors after their place
are wrong then, whether they were made now or by a process before this one, and so may be their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from projections.offline.merge import NEVER, Entry, Place

FIRST: Place = (NEVER - 1, 0, 0)
_LAST: Place = (-NEVER, 0, 0)
# Stragglers without an end (a host whose clock is late) must not put it off for ever.
_PATIENCE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Span:
    """Vectors from `since` to `upto`, both included, are to be made anew."""

    since: Place
    upto: Place


class Stragglers:
    """Says of each event whether its vector is to be made, and what must be made anew.

    `written` are the positions that were stored: rows below them are right as far as records below
    them go, and no further. So all that follows the first record above them is made again.
    `greatest` is the last place in the ideal order that was folded.
    """

    def __init__(self, written: Mapping[int, int], greatest: Place = FIRST) -> None:
        self._written = dict(written)
        self.greatest, self._made = greatest, FIRST
        self._unwritten = _LAST
        self._since: Place | None = None
        self._running: Place | None = None
        self._first = self._last = 0.0
        self.count = 0

    @property
    def outstanding(self) -> bool:
        """True while stored vectors may be wrong: no position is to pass a straggler."""
        return self._since is not None or self._running is not None

    def take(self, entry: Entry) -> bool:
        """Call once for each event, as it is folded. True where its vector is to be made."""
        place, new = entry.place, entry.offset >= self._written[entry.partition]
        due = entry.wanted and (new or place > self._unwritten)
        if place < self.greatest and (new or due or place < self._made):
            self._note(place, entry.arrived)
        if new:
            self._unwritten = min(self._unwritten, place)
        if due:
            self._made = max(self._made, place)
        self.greatest = max(self.greatest, place)
        return due

    def ripe(self, now: float, quiet: float) -> bool:
        """True once there are some, and none came for `quiet` seconds or they never cease."""
        if self._since is None or self._running is not None:
            return False
        return now >= self._last + quiet or now >= self._first + _PATIENCE_SECONDS

    def begin(self) -> Span:
        """What is to be made anew from all records read so far; end it by `done` or `put_back`."""
        assert self._since is not None
        self._running, self._since = self._since, None
        return Span(self._running, self.greatest)

    def done(self) -> None:
        self._running = None

    def put_back(self) -> None:
        """It was not made anew: it is still to be done."""
        if self._running is not None:
            self._since = min(self._running, self._since or self._running)
            self._running = None

    def _note(self, place: Place, arrived: float) -> None:
        if self._since is None:
            self._first = arrived
        self._since = min(place, self._since or place)
        self._last = arrived
        self.count += 1
