"""Owns the retrying of labels that came before their transaction; their records stay dead-lettered.

The dead-letter topic is read from its beginning on each start: a label that has found its way
meanwhile is told by `retry` and costs one look.
"""

from __future__ import annotations

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
_PAUSE_SECONDS = 1.0
_LONGEST = 300.0


@dataclass(slots=True)
class _Parked:
    letter: RecordDeadLettered
    pause: float
    due: float = 0.0


class ParkedHandler:
    """Holds the dead letters of `reader` until `retry` answers True.

    Each is tried after `pause` seconds, then after twice as long, up to five minutes.
    """

    def __init__(self, reader: str, retry: Retry, pause: float = _PAUSE_SECONDS) -> None:
        self._reader, self._retry, self._pause = reader, retry, pause
        self._parked: dict[str, _Parked] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        self._parked.clear()
        return dict.fromkeys(partitions, 0)

    async def revoke(self, partitions: set[int]) -> None:  # noqa: ARG002
        self._parked.clear()

    async def handle(self, batch: Batch) -> None:
        for _, _, value in batch.records:
            try:
                envelope = decode(value or b"")
            except RetraceError:
                continue
            letter = envelope.data
            if isinstance(letter, RecordDeadLettered) and letter.reader == self._reader:
                self._parked.setdefault(envelope.id, _Parked(letter, self._pause))

    async def watch(self) -> None:
        """Tries, for ever, what is parked."""
        while True:
            await asyncio.sleep(self._pause)
            now = time.monotonic()
            for letter_id, parked in list(self._parked.items()):
                if parked.due > now:
                    continue
                parked.due, parked.pause = now + parked.pause, min(2 * parked.pause, _LONGEST)
                # Between two letters the batches of the other topics get their turn.
                await asyncio.sleep(0)
                try:
                    done = await self._retry(parked.letter)
                except RetraceError as error:
                    logger.warning("%s stays parked: %s", letter_id, error)
                    continue
                if done:
                    self._parked.pop(letter_id, None)
