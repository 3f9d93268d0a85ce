"""What was read and is not committed to the index yet.

A commit for each record would be most of what the index costs; what is not kept is read again.
"""

from collections.abc import Mapping, Sequence

from eventlog.port import Recorded
from host.threads import Threads

_SECONDS, _RECORDS = 0.2, 2_000


class Unkept:
    """Owned by the thread that reads."""

    def __init__(self, threads: Threads) -> None:
        self._threads, self._kept_at = threads, threads.monotonic()
        self._last: dict[int, Recorded] = {}
        self._records = 0

    def read(self, chunk: Sequence[Recorded]) -> None:
        for recorded in chunk:
            self._last[recorded.position.partition] = recorded
        self._records += len(chunk)

    def due(self) -> Mapping[int, Recorded]:
        """The last record of each partition of which more is to be committed by now; it counts as
        kept from here on."""
        passed = self._threads.monotonic() - self._kept_at
        return self.all() if passed > _SECONDS or self._records > _RECORDS else {}

    def all(self) -> Mapping[int, Recorded]:
        """As `due`, at once."""
        last, self._last = self._last, {}
        if last:
            self._records, self._kept_at = 0, self._threads.monotonic()
        return last
