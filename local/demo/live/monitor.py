"""Monitor of live traffic: decisions in the log, feature freshness, lags and alerts."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from time import time

from domain.errors import RetraceError, UndecodableError
from domain.events import Envelope, TransactionScored
from domain.features import Entity
from domain.policy.thresholds import outcome
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

# Asking about every decision would keep Redis busy.
_SAMPLE_EVERY = 3
_POLL_SECONDS = 0.003
_IDLE_SECONDS = 0.1
_LAG_SECONDS = 1.0

_Pending = tuple[int, int, int, int]


class DecisionMonitor:
    """Reads the log from `start`: which decisions of our ids count, and when features show them.

    Freshness is the time from the known time of a decision, just before its append, until the
    online state of its card covers it.
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
        """Reads new records, waiting at most `wait` seconds; then checks the markers."""
        for recorded in self._tail.poll(_POLL_SECONDS if self._pending else wait):
            self._read(recorded)
        if self._pending:
            self._check_markers()

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
            data.outcome,
            data.score,
            partition,
            offset,
            data.model_id,
            outcome(data.score, data.thresholds),
        )
        self._seen += 1
        card = data.transaction.card_id
        if card is not None and self._seen % _SAMPLE_EVERY == 0:
            self._pending.append(
                (shard_of(Entity.CARD, card), partition, offset, envelope.known_time)
            )

    def _check_markers(self) -> None:
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


class MonitorThreads:
    """Runs a DecisionMonitor, and the slower queries, in two threads until closed."""

    def __init__(
        self,
        monitor: DecisionMonitor,
        positions: Callable[[], Positions],
        alerts: Callable[[], int],
        figures: Figures,
    ) -> None:
        self._monitor, self._positions, self._alerts = monitor, positions, alerts
        self._figures = figures
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._steadily, args=(run, pause), daemon=True)
            for run, pause in ((monitor.step, 0.0), (self._query, _LAG_SECONDS))
        ]

    def __enter__(self) -> MonitorThreads:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(timeout=10)
        self._monitor.close()

    def _steadily(self, run: Callable[[], None], pause: float) -> None:
        while not self._closing.is_set():
            try:
                run()
            except RetraceError as error:
                # A server that is away for a moment does not end the demo.
                logger.info("%s", error)
                pause = max(pause, 0.2)
            self._closing.wait(pause)

    def _query(self) -> None:
        self._figures.lags = lags(self._positions(), list(self._monitor.ends))
        self._figures.alerts = self._alerts()


def all_settled(figures: Figures) -> bool:
    """All that was acknowledged is decided, and no projection lags."""
    return not figures.waiting and bool(figures.lags) and not any(figures.lags.values())
