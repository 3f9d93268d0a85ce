"""Composition of an import of files: the log, the payload cleaner and the file of rejects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

from commands.imports.flow.back_pressure import BackPressure, LiveDecisions, Load
from commands.imports.flow.schedule import ReplaySchedule
from commands.imports.handler import ImportPorts
from commands.imports.nothing_appended import NothingAppended
from commands.imports.rejects import RejectFile
from commands.imports.summary import ImportSummary
from commands.policy.keys import refuse_other_keys
from domain.errors import LogUnavailableError
from eventlog.adapters.kafka_groups import KafkaGroups
from eventlog.port import Appender
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from host.processes import give_way
from operations.log.imports import OpenedImport, newest_known, with_dead_letters
from operations.log.live_decisions import decisions_of
from runtime.composition.intake import cleaner_for_file, keys_of
from runtime.composition.log import open_log
from runtime.settings import Settings

if TYPE_CHECKING:
    import httpx

_Log = tuple[Appender, int | None, BackPressure | None]
# Of the workers, those that read TRANSACTIONS.
_READERS = ("features", "offline", "readmodels", "evidence", "archive", "decisions")
_ANSWER_SECONDS = 2.0
_NICENESS = 5


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
    give_way(_NICENESS)
    cleaner, redact = cleaner_for_file(settings, currency)
    command = opened.command
    opened_log: AbstractContextManager[_Log] = (
        nullcontext((NothingAppended(), None, None))
        if dry_run
        else _open_same_log(settings, command.correlation_id, sleep)
    )
    with (
        opened_log as (log, newest, back_pressure),
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
            back_pressure=back_pressure,
            progress=progress,
            newest=newest,
        )


@contextmanager
def _open_same_log(
    settings: Settings, correlation_id: str, sleep: Callable[[float], None]
) -> Iterator[_Log]:
    """The log, the newest known time in it, and what holds an import back."""
    with open_log(settings) as log, closing(_client()) as client:
        refuse_other_keys(log, keys_of(settings))
        newest = newest_known(asyncio.run(log.ends(TRANSACTIONS)), log.read_one, correlation_id)
        groups = KafkaGroups(settings.kafka())

        def look() -> Load:
            try:
                unread = groups.unread(_READERS, asyncio.run(log.ends(TRANSACTIONS)))
            except LogUnavailableError:
                # Whether the log is away is told by the next append.
                unread = {}
            behind = max(unread.values(), default=0)
            return Load(behind, unread.get("features", 0), _decisions(client, settings.api_url))

        yield log, newest, BackPressure(look, sleep, settings.import_ahead)


def _client() -> httpx.Client:
    import httpx

    return httpx.Client(timeout=_ANSWER_SECONDS)


def _decisions(client: httpx.Client, url: str) -> LiveDecisions | None:
    """None where no API answers."""
    import httpx

    try:
        answer = client.get(f"{url}/metrics")
    except httpx.HTTPError:
        return None
    return decisions_of(answer.text) if answer.is_success else None
