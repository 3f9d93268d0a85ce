"""Owns the policy that decides right now: the snapshot of the POLICY topic and its loaded model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from commands.ports.scorer import Scorer
from domain.errors import RetraceError
from domain.events import ModelPromoted
from domain.policy import NO_POLICY, PolicySnapshot
from eventlog.codec import decode, glance
from eventlog.port import EventLog, Recorded
from eventlog.topics import POLICY

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """One immutable snapshot; a decision uses one from beginning to end."""

    snapshot: PolicySnapshot
    scorer: Scorer | None


class PolicyWatch:
    """Tails POLICY in a thread of its own and swaps the active policy whole.

    A model that cannot be loaded leaves the one before in place, says so in the log, and is tried
    again: its artefact may still be on its way to this machine.
    """

    def __init__(self, log: EventLog, load: Callable[[ModelPromoted], Scorer]) -> None:
        self._log, self._load = log, load
        self._active = ActivePolicy(NO_POLICY, None)
        self._closing = threading.Event()
        self._refused: Recorded | None = None
        self._thread = threading.Thread(target=self._run, name="policy", daemon=True)

    def start(self) -> None:
        """Returns once all policy known so far is active. Raises LogUnavailableError."""
        records = list(self._log.read(POLICY))
        newest = next((each for each in reversed(records) if _is_model(each)), None)
        for recorded in records:
            # Models before the newest are not worth loading: they only move the snapshot.
            self._apply(recorded, load=recorded is newest)
        self._next = records[-1].position.offset + 1 if records else 0
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
                    for recorded in tail.poll(timeout=_RETRY_SECONDS):
                        self._apply(recorded)
                    if self._refused is not None:
                        self._apply(self._refused)
                except RetraceError as error:
                    logger.warning("%s; policy stays as it is", error)
                    self._closing.wait(_PAUSE_SECONDS)
        finally:
            tail.close()

    def _apply(self, recorded: Recorded, *, load: bool = True) -> None:
        offset = recorded.position.offset
        try:
            data = decode(recorded.value).data
            scorer = self._active.scorer
            if isinstance(data, ModelPromoted) and load:
                scorer = self._load(data)
        except Exception as error:
            # Whatever is wrong with a model, the one before must go on and the next be heard.
            if self._refused is None:
                known = isinstance(error, RetraceError)
                logger.error("policy %s is refused: %s", offset, error, exc_info=not known)
            if _is_model(recorded):
                self._refused = recorded
            return
        if isinstance(data, ModelPromoted):
            self._refused = None
        snapshot = self._active.snapshot.apply(data, offset)
        if isinstance(data, ModelPromoted) and snapshot.model is not data:
            # Loaded late: records after it have moved the version on meanwhile.
            snapshot = replace(snapshot, model=data)
        self._active = ActivePolicy(snapshot, scorer)


def _is_model(recorded: Recorded) -> bool:
    try:
        return glance(recorded.value).name == ModelPromoted.NAME
    except RetraceError:
        return False
