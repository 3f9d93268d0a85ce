"""Owns opening the whole log, archived and live, and what is read of it for features."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.topics import TRANSACTIONS
from runtime.logs import log_of
from runtime.settings import Settings


@contextmanager
def open_history(settings: Settings) -> Iterator[tuple[KafkaEventLog, History]]:
    """The log as it is now. Raises UnavailableError."""
    log = log_of(settings)
    try:
        ends = asyncio.run(_ends(log))
        folder = ArchiveFolder(settings.archive_url, TRANSACTIONS)
        yield log, History(log, folder, [ends[p] for p in range(TRANSACTIONS.partitions)])
    finally:
        log.close()


async def _ends(log: KafkaEventLog) -> Mapping[int, int]:
    return dict(enumerate(await log.ends(TRANSACTIONS)))
