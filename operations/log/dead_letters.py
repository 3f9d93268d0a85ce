"""Retry of dead letters that an operator names, or of all that are kept."""

import asyncio
from collections.abc import Callable, Sequence

from commands.dead_letters import retry_dead_letter
from domain.events import Envelope
from eventlog.dead_letters import dead_letter_of, dead_letters
from eventlog.port import InboxLog


def retry_dead_letters(
    log: InboxLog, key: bytes, ids: Sequence[str] | None, report: Callable[[str, str], None]
) -> int:
    """Retries the named ones (all with None), reports (id, what was done), gives their number.

    Raises NotFoundError before the first retry, IntegrityError, LogUnavailableError. A retry of a
    transaction that was decided meanwhile is a duplicate and counts nowhere.
    """
    chosen = list(dead_letters(log)) if ids is None else [dead_letter_of(log, i) for i in ids]
    asyncio.run(_retry(log, key, chosen, report))
    return len(chosen)


async def _retry(
    log: InboxLog, key: bytes, chosen: list[Envelope], report: Callable[[str, str], None]
) -> None:
    for envelope in chosen:
        report(envelope.id, await retry_dead_letter(envelope, key, log))
