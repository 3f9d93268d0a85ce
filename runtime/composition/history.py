"""Owns opening the whole log, archived and live, for those who read it from its beginning."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.archive.identity import check_same_log
from eventlog.archive.status import PartitionStatus, status_of
from eventlog.topics import TRANSACTIONS
from runtime.composition.log import log_of
from runtime.settings import Settings


@contextmanager
def open_history(
    settings: Settings, until: Sequence[int] | None = None
) -> Iterator[tuple[KafkaEventLog, History]]:
    """The log as it is now, or up to `until`, an offset per partition.

    Raises UnavailableError, IntegrityError for another log's archive.
    """
    with _opened(settings) as (log, folder, ends):
        yield log, History(log, folder, ends if until is None else until)


def archive_status(settings: Settings) -> tuple[str, list[PartitionStatus]]:
    """(where the archive lies, each partition). Raises as `open_history`."""
    with _opened(settings) as (_, folder, ends):
        return folder.place, status_of(folder, ends)


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[KafkaEventLog, ArchiveFolder, list[int]]]:
    log = log_of(settings)
    try:
        folder = ArchiveFolder(settings.archive_url, TRANSACTIONS)
        pieces = folder.pieces()
        ends = asyncio.run(_ends(log))
        check_same_log(folder, pieces, ends, log.read_one)
        yield log, folder, ends
    finally:
        log.close()


async def _ends(log: KafkaEventLog) -> list[int]:
    return list(await log.ends(TRANSACTIONS))
