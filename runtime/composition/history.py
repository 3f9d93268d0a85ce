"""Composition of the whole log, archive first and Kafka from there on, for complete reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.archive.identity import check_same_log
from eventlog.topics import TRANSACTIONS
from runtime.composition.log import open_log
from runtime.settings import Settings

if TYPE_CHECKING:
    from operations.replay.verify import ReplayPorts


@contextmanager
def open_history(
    settings: Settings, until: Sequence[int] | None = None
) -> Iterator[tuple[KafkaEventLog, History]]:
    """The log as it is now, or up to `until`, an offset per partition.

    Raises UnavailableError, IntegrityError for another log's archive.
    """
    with open_archive(settings) as (log, folder, ends):
        yield log, History(log, folder, ends if until is None else until)


@contextmanager
def open_archive(settings: Settings) -> Iterator[tuple[KafkaEventLog, ArchiveFolder, list[int]]]:
    """The log, its archive, and the log's ends. Raises as `open_history`."""
    with open_log(settings) as log:
        folder = ArchiveFolder(settings.archive_url, TRANSACTIONS)
        pieces = folder.pieces()
        ends = list(asyncio.run(log.ends(TRANSACTIONS)))
        check_same_log(folder, pieces, ends, log.read_one)
        yield log, folder, ends


@contextmanager
def open_replay(settings: Settings) -> Iterator[ReplayPorts]:
    """What decides past transactions again. Raises as `open_history`."""
    # Workers open the history too, and need neither models nor rules for it.
    from operations.replay.verify import ReplayPorts
    from runtime.composition.models import open_scorers, rule_language

    with open_history(settings) as (log, history), open_scorers(settings) as load:
        yield ReplayPorts(log, history, load, rule_language())
