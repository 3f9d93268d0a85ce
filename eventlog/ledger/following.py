"""Following: opens the index of each partition that is followed, and tails those that are open."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial

from domain.errors import IntegrityError, LogUnavailableError, RetraceError
from eventlog.index.id_index import IdIndex
from eventlog.index.keeping import Keeping
from eventlog.index.opening import Opening
from eventlog.index.ports import IndexFiles
from eventlog.ledger.unkept import Unkept
from eventlog.ledger.waiting import Waiters
from eventlog.port import EventLog, Recorded
from eventlog.topics import TRANSACTIONS
from host.threads import Threads

logger = logging.getLogger(__name__)

_CHUNK = 100
_PAUSE_SECONDS = 0.5


class Following:
    """Beside the caller from `start` until `close`. `read` is given chunks of what was tailed, in
    the thread that tails; `lock` is that of the index."""

    def __init__(
        self,
        log: EventLog,
        index: IdIndex,
        lock: threading.Lock,
        waiters: Waiters,
        files: IndexFiles,
        opening: Opening,
        threads: Threads,
        partitions: Collection[int],
        read: Callable[[Sequence[Recorded]], None],
    ) -> None:
        self._log, self._index, self._lock, self._waiters = log, index, lock, waiters
        self._files, self._threads, self._read = files, threads, read
        self._opening = opening
        self._keeping = Keeping(index, files, lock)
        self.followed = frozenset(partitions)
        self._asked: frozenset[int] = frozenset()
        self._unkept = Unkept(threads)
        self._closing = threading.Event()
        self._of_another_log = False
        self._join: Callable[[float], None] | None = None

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def start(self) -> None:
        self._join = self._threads.start(partial(self._guarded, self._follow), "ledger")

    def close(self) -> None:
        self._closing.set()
        if self._join is not None:
            self._join(10.0)
        if self._of_another_log:
            self._files.discard()
        self._files.close()

    def surely(self, work: Callable[[], None]) -> None:
        """Does it once the log answers, or not at all once we are closing."""
        while not self.closing:
            try:
                work()
                return
            except LogUnavailableError as error:
                logger.warning("%s; the ledger waits for it", error)
                self._threads.sleep(_PAUSE_SECONDS)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            logger.error("the ledger ends: %s", error, exc_info=not isinstance(error, RetraceError))
            self._of_another_log |= isinstance(error, IntegrityError)
            self._waiters.fail(
                LogUnavailableError(f"this process no longer follows the log: {error}")
            )

    def _follow(self) -> None:
        while not self.closing:
            if missing := self.followed - self._asked:
                self._asked |= missing
                opening = partial(self._guarded, partial(self._open, sorted(missing)))
                self._threads.start(opening, "ledger-opening")
            self._follow_these(self._readable())
            self._keeping.commit(self._unkept.all())

    def _readable(self) -> frozenset[int]:
        return frozenset(filter(self._index.opened, self.followed))

    def _open(self, partitions: Sequence[int]) -> None:
        left = list(partitions)
        while left and not self.closing:
            # One that cannot be opened yet keeps no other waiting.
            left = [each for each in left if not self._opened(each)]
            if left:
                self._threads.sleep(_PAUSE_SECONDS)
        for partition in filter(self._index.opened, partitions):
            self._keeping.save(partition)

    def _opened(self, partition: int) -> bool:
        try:
            opened = self._opening.open(partition)
        except LogUnavailableError as error:
            logger.warning("%s; the ledger waits for it", error)
            return False
        with self._lock:
            self._keeping.opened(partition, opened)
            # Whoever sees it open reads on from there.
            self._waiters.advance({partition: opened.reached.next})
            self._index.open(partition, opened)
        return True

    def _follow_these(self, readable: frozenset[int]) -> None:
        positions = {partition: self._waiters.end(partition) for partition in readable}
        tail = self._log.tail(TRANSACTIONS, positions, gathered=True)
        try:
            while not self.closing and self.followed <= self._asked:
                if self._readable() != readable:
                    return
                try:
                    batch = tail.poll(timeout=0.2)
                except LogUnavailableError as error:
                    logger.warning("%s; the ledger waits for it", error)
                    self._threads.sleep(_PAUSE_SECONDS)
                    continue
                for start in range(0, len(batch), _CHUNK):
                    self._read(batch[start : start + _CHUNK])
                    self._unkept.read(batch[start : start + _CHUNK])
                self._keeping.commit(self._unkept.due())
        finally:
            tail.close()
