"""Label retry: tries labels again that came before their transaction.

Their records stay in the dead-letter topic, which is read from its beginning on each start; a label
that has been recorded meanwhile is recognised by `retry`. The schedule is kept by hand instead of
with tenacity: one task tries all labels, however many there are, and in turn.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.errors import RetraceError
from domain.events import RecordDeadLettered
from eventlog.batch import Batch
from eventlog.codec import decode

logger = logging.getLogger(__name__)

Retry = Callable[[RecordDeadLettered], Awaitable[bool]]
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 300.0


@dataclass(slots=True)
class _Waiting:
    letter: RecordDeadLettered
    pause: float
    due: float = 0.0


class LabelRetry:
    """Keeps the dead letters of `reader` until `retry` answers True.

    Each is tried after `pause` seconds, then after twice as long, up to five minutes.
    """

    def __init__(self, reader: str, retry: Retry, pause: float = _FIRST_PAUSE) -> None:
        self._reader, self._retry, self._pause = reader, retry, pause
        self._waiting: dict[str, _Waiting] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        self._waiting.clear()
        return dict.fromkeys(partitions, 0)

    async def revoke(self, partitions: set[int]) -> None:  # noqa: ARG002
        self._waiting.clear()

    async def handle(self, batch: Batch) -> None:
        for _, _, value in batch.records:
            try:
                envelope = decode(value or b"")
            except RetraceError:
                continue
            letter = envelope.data
            if isinstance(letter, RecordDeadLettered) and letter.reader == self._reader:
                self._waiting.setdefault(envelope.id, _Waiting(letter, self._pause))

    async def retry_due(self) -> None:
        """Tries for ever whatever is due."""
        while True:
            await asyncio.sleep(self._pause)
            now = time.monotonic()
            for letter_id, waiting in list(self._waiting.items()):
                if waiting.due > now:
                    continue
                waiting.due = now + waiting.pause
                waiting.pause = min(2 * waiting.pause, _LONGEST_PAUSE)
                # Between two letters the batches of the other topics get their turn.
                await asyncio.sleep(0)
                try:
                    done = await self._retry(waiting.letter)
                except RetraceError as error:
                    logger.warning("label %s is tried again later: %s", letter_id, error)
                    continue
                if done:
                    self._waiting.pop(letter_id, None)
