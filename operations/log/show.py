"""Records of the log that match a search: the newest ones or all, and new ones as they come."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from itertools import islice

from eventlog.port import EventLog, Recorded
from operations.log.search import Search, everything, newest

_POLL_SECONDS = 0.5
_NEWEST = 20


def show_events(
    log: EventLog,
    search: Search,
    show: Callable[[Recorded], None],
    whole: bool,
    lines: int | None,
    follow: bool,
) -> None:
    """`whole` shows all from the search's beginning on, at most `lines`; else the last ones.

    With `follow` it never returns.
    """
    until = asyncio.run(_ends(log, search))
    if whole:
        for record in islice(everything(log, search, until), lines):
            show(record)
    else:
        for record in newest(log, search, lines or _NEWEST, until):
            show(record)
    if not follow:
        return
    with closing(log.tail(search.topic, until)) as tail:
        while True:
            for record in tail.poll(_POLL_SECONDS):
                if search.matches(record):
                    show(record)


async def _ends(log: EventLog, search: Search) -> dict[int, int]:
    return dict(enumerate(await log.ends(search.topic)))
