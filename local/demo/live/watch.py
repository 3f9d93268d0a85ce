"""Owns what is seen of a live part from outside: decisions in the log, states, lags and alerts."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic, sleep, time

from domain.errors import RetraceError, UndecodableError
from domain.events import Envelope, TransactionScored
from domain.features import Entity
from eventlog.admission.first_wins import Admission
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.codec import decode
from eventlog.port import EventLog, Recorded
from eventlog.routing import shard_of
from eventlog.topics import TRANSACTIONS
from local.demo.live.figures import Decision, Figures
from operations.monitoring.projection_lag import Positions, lags
from projections.online.port import Markers

logger = logging.getLogger(__name__)

# Looking at every decision would keep the store busy with us alone.
_SAMPLE_EVERY = 3
_LOOK_SECONDS = 0.003
_IDLE_SECONDS = 0.1
_LAG_SECONDS = 1.0

_Pending = tuple[int, int, int, int]


class DecisionWatch:
    """Follows the log from `start`: which decisions of our ids count, and when they are readable.

    Freshness is the time from the known time of a decision, which is just before its append, to
    the moment at which the online state of its card is seen to cover it.
    """

    def __init__(
        self,
        log: EventLog,
        start: Sequence[int],
        id_prefix: str,
        markers: Callable[[], Markers],
        figures: Figures,
    ) -> None:
        self._tail = log.tail(TRANSACTIONS, dict(enumerate(start)))
        self._prefix, self._markers, self._figures = id_prefix, markers, figures
        self._memory = SqliteMemory(None)
        self._admission = Admission(self._memory)
        self._pending: list[_Pending] = []
        self._seen = 0
        self.ends = list(start)
        self.counted: Counter[str] = Counter()

    def step(self, wait: float = _IDLE_SECONDS) -> None:
        """Reads what is there, waiting at most so long; then looks at what became readable."""
        for recorded in self._tail.poll(_LOOK_SECONDS if self._pending else wait):
            self._read(recorded)
        if self._pending:
            self._look()

    def close(self) -> None:
        self._tail.close()
        self._memory.close()

    def _read(self, recorded: Recorded) -> None:
        place = recorded.position
        self.ends[place.partition] = place.offset + 1
        if recorded.key is None or not recorded.key.startswith(self._prefix):
            return
        try:
            envelope = decode(recorded.value)
        except UndecodableError:
            return
        counts = self._admission.admit(envelope, place.partition, place.offset)
        if counts and isinstance(envelope.data, TransactionScored):
            self._decided(envelope, place.partition, place.offset)

    def _decided(self, envelope: Envelope, partition: int, offset: int) -> None:
        data = envelope.data
        self.counted[envelope.subject] += 1
        self._figures.decisions[envelope.subject] = Decision(
            data.outcome, data.score, partition, offset, data.model_id
        )
        self._seen += 1
        card = data.transaction.card_id
        if card is not None and self._seen % _SAMPLE_EVERY == 0:
            self._pending.append(
                (shard_of(Entity.CARD, card), partition, offset, envelope.known_time)
            )

    def _look(self) -> None:
        at = self._markers().at
        now = time() * 1_000_000
        waiting = []
        for shard, partition, offset, since in self._pending:
            marker = at.get(shard)
            if marker is not None and marker.covers(partition) >= offset:
                self._figures.freshness.append((now - since) / 1000)
            else:
                waiting.append((shard, partition, offset, since))
        self._pending = waiting


class Watching:
    """Runs a DecisionWatch, and beside it the slower questions, in two threads until closed."""

    def __init__(
        self,
        watch: DecisionWatch,
        positions: Callable[[], Positions],
        alerts: Callable[[], int],
        figures: Figures,
    ) -> None:
        self._watch, self._positions, self._alerts = watch, positions, alerts
        self._figures = figures
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._steadily, args=(run, pause), daemon=True)
            for run, pause in ((watch.step, 0.0), (self._look, _LAG_SECONDS))
        ]

    def __enter__(self) -> Watching:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self._watch.close()

    def _steadily(self, run: Callable[[], None], pause: float) -> None:
        while not self._closing.is_set():
            try:
                run()
            except RetraceError as error:
                # A server that is away for a moment must not end the demo: that is a part of it.
                logger.info("%s", error)
                pause = max(pause, 0.2)
            self._closing.wait(pause)

    def _look(self) -> None:
        self._figures.lags = lags(self._positions(), list(self._watch.ends))
        self._figures.alerts = self._alerts()


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for what other processes do; False where it has not come about in that time."""
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.05)
    return True


def settled(figures: Figures) -> bool:
    """Everything acknowledged is decided, and every projection has all that we have seen."""
    return not figures.waiting and bool(figures.lags) and not any(figures.lags.values())
