"""Owns the policy that decides right now: the snapshot of the POLICY topic and its loaded model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from commands.ports.scorer import Scorer
from domain.errors import RetraceError
from domain.events import ModelPromoted
from domain.policy import NO_POLICY, PolicySnapshot
from eventlog.codec import decode
from eventlog.port import EventLog, Recorded
from eventlog.topics import POLICY

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """One immutable snapshot; a decision uses one from beginning to end."""

    snapshot: PolicySnapshot
    scorer: Scorer | None


class PolicyWatch:
    """Tails POLICY in a thread of its own and swaps the active policy whole.

    A model that cannot be loaded leaves the one before in place, and says so in the log.
    """

    def __init__(self, log: EventLog, load: Callable[[ModelPromoted], Scorer]) -> None:
        self._log, self._load = log, load
        self._active = ActivePolicy(NO_POLICY, None)
        self._closing = threading.Event()
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policy", daemon=True)

    def start(self) -> None:
        """Returns once all policy known so far is active. Raises LogUnavailableError."""
        recorded = None
        for recorded in self._log.read(POLICY):
            self._apply(recorded)
        self._next = recorded.position.offset + 1 if recorded else 0
        self._thread.start()

    def current(self) -> ActivePolicy:
        return self._active

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        tail = self._log.tail(POLICY, {0: self._next})
        try:
            while not self._closing.is_set():
                try:
                    for recorded in tail.poll(timeout=0.5):
                        self._apply(recorded)
                except RetraceError as error:
                    logger.warning("%s; policy stays as it is", error)
                    self._closing.wait(_PAUSE_SECONDS)
        finally:
            tail.close()

    def _apply(self, recorded: Recorded) -> None:
        try:
            data = decode(recorded.value).data
            scorer = self._load(data) if isinstance(data, ModelPromoted) else self._active.scorer
        except Exception as error:
            # Whatever is wrong with a model, the one before must go on and the next be heard.
            known = isinstance(error, RetraceError)
            offset = recorded.position.offset
            logger.error("policy %s is refused: %s", offset, error, exc_info=not known)
            return
        snapshot = self._active.snapshot.apply(data, recorded.position.offset)
        self._active = ActivePolicy(snapshot, scorer)
