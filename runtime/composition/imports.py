"""Composition of an import of files: the log, the payload cleaner and the file of rejects."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext

from commands.imports.handler import ImportPorts
from commands.imports.nothing_appended import NothingAppended
from commands.imports.rejects import RejectFile
from commands.imports.schedule import ReplaySchedule
from commands.imports.summary import ImportSummary
from commands.policy.keys import refuse_other_keys
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.port import Appender
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from operations.log.imports import OpenedImport, newest_known, with_dead_letters
from runtime.composition.intake import cleaner_for_file, keys_of
from runtime.composition.log import open_log
from runtime.settings import Settings


@contextmanager
def open_import_ports(
    settings: Settings,
    opened: OpenedImport,
    currency: str | None,
    rate: float,
    sleep: Callable[[float], None],
    progress: Callable[[ImportSummary], None],
    dry_run: bool = False,
) -> Iterator[ImportPorts]:
    """`rate` is seconds of history per second, 0 for full speed; `sleep` waits in between.
    In a dry run nothing is appended and no server is asked.

    Raises InvalidInputError for an unknown currency or a file of rejects that cannot be written,
    and SettingsError for other keys than those that the log is written with.
    """
    # Threads of the Kafka client inherit it: decisions go first where they share cores.
    os.setpriority(os.PRIO_PROCESS, 0, max(5, os.getpriority(os.PRIO_PROCESS, 0)))
    cleaner, redact = cleaner_for_file(settings, currency)
    command = opened.command
    opened_log: AbstractContextManager[tuple[Appender, int | None]] = (
        nullcontext((NothingAppended(), None))
        if dry_run
        else _open_same_log(settings, command.correlation_id)
    )
    with (
        opened_log as (log, newest),
        closing(RejectFile(opened.rejects_path, command.binding.column)) as rejects,
    ):
        yield ImportPorts(
            cleaner=cleaner,
            log=log,
            clock=now_us,
            redact=redact,
            reject=with_dead_letters(
                rejects, log, settings.dead_letter_key, command.correlation_id, now_us
            ),
            spool=settings.state_dir,
            schedule=ReplaySchedule(rate, time.monotonic, sleep) if rate else None,
            progress=progress,
            newest=newest,
        )


@contextmanager
def _open_same_log(
    settings: Settings, correlation_id: str
) -> Iterator[tuple[Appender, int | None]]:
    """The log, and the newest known time in it."""
    with open_log(settings) as log:
        refuse_other_keys(log, keys_of(settings))
        ends = asyncio.run(_ends(log))
        yield log, newest_known(ends, log.read_one, correlation_id)


async def _ends(log: KafkaEventLog) -> Sequence[int]:
    return await log.ends(TRANSACTIONS)
