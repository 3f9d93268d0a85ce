"""Composition of explanations: for one command, and for a process that explains now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from domain.errors import UnavailableError
from domain.events import Envelope
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.identity import check_same_log
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from runtime.composition.history import open_archive
from runtime.composition.models import artefacts_of, open_scorers, rule_language
from runtime.settings import Settings

if TYPE_CHECKING:
    from operations.explain.explain import ExplainPorts
    from operations.explain.told import Explanation

API_SECONDS = 8.0
"""Below the ten that a forwarded request is given."""


@contextmanager
def open_explaining(settings: Settings) -> Iterator[Callable[[str, int | None], Explanation]]:
    """Explains an id, by what was known at a time in microseconds too where one is given.

    Raises NotFoundError for an unknown id, and as `open_history`.
    """
    from eventlog.archive.of_one import facts_of
    from operations.explain.explain import explain, fact_of

    with open_archive(settings) as (log, folder, ends), ExitStack() as stack:
        ports = _ports(settings, log, folder, stack)

        def explained(transaction_id: str, at: int | None) -> Explanation:
            found = facts_of(log, folder, ends, transaction_id, lambda: None)
            facts = [(place.partition, place.offset, each) for place, each in found]
            return explain(ports, fact_of(transaction_id, facts), ends, at)

        yield explained


class Explainer:
    """One explanation at a time, within API_SECONDS. Thread-safe; opens things when asked."""

    def __init__(self, settings: Settings, log: EventLog) -> None:
        self._settings, self._log = settings, log
        self._lock, self._stack = Lock(), ExitStack()
        self._ports: ExplainPorts | None = None

    def explained(
        self, place: tuple[int, int], fact: Envelope, ends: Sequence[int], at: int | None
    ) -> dict[str, Any]:
        """Of what counts of a transaction, which lies at `place` (partition, offset); blocks.

        Raises UnavailableError where it takes too long, or what it reads is away.
        """
        from operations.explain.explain import Fact, explain

        until = monotonic() + API_SECONDS

        def checked() -> None:
            if monotonic() > until:
                raise _too_long(fact.subject)

        if not self._lock.acquire(timeout=API_SECONDS):
            raise _too_long(fact.subject)
        try:
            ports = self._opened(ends)
            return asdict(explain(ports, Fact(*place, fact), ends, at, checked))
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._stack.close()

    def _opened(self, ends: Sequence[int]) -> ExplainPorts:
        if self._ports is None:
            folder = ArchiveFolder(self._settings.archive_url, TRANSACTIONS)
            check_same_log(folder, folder.pieces(), ends, self._log.read_one)
            self._ports = _ports(self._settings, self._log, folder, self._stack)
        return self._ports


def _too_long(transaction_id: str) -> UnavailableError:
    return UnavailableError(
        "explanation",
        f"takes longer than {API_SECONDS:g} s here, of a log so long: use"
        f" `./retrace explain {transaction_id}`, which may take its time",
        retry_after=60,
    )


def _ports(
    settings: Settings, log: EventLog, folder: ArchiveFolder, stack: ExitStack
) -> ExplainPorts:
    from eventlog.archive.of_entities import EntityReader
    from operations.explain.explain import ExplainPorts
    from operations.replay.models import PastModels

    models = PastModels(stack.enter_context(open_scorers(settings)))
    reader = EntityReader(log, folder)
    return ExplainPorts(log, reader, models, artefacts_of(settings).open, rule_language())
