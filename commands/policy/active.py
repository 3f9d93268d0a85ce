"""Owns the policy that decides right now: the snapshot of POLICY and its loaded models."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from commands.ports.scorer import Scorer
from domain.errors import RetraceError
from domain.policy import NO_POLICY, Model, PolicySnapshot
from eventlog.codec import decode
from eventlog.port import EventLog, Recorded
from eventlog.topics import POLICY

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """One immutable snapshot; a decision uses one from beginning to end.

    `challenger` is the scorer of the snapshot's roll-out, and there whenever the roll-out is.
    """

    snapshot: PolicySnapshot
    scorer: Scorer | None
    challenger: Scorer | None = None

    def of(self, transaction_id: str) -> ActivePolicy:
        """What decides this transaction: the model in force or the challenger, with what judges it.

        Fallback rules never stand in for a challenger: without its scorer there is no roll-out.
        """
        chosen = self.snapshot.of(transaction_id)
        if chosen is self.snapshot or self.challenger is None:
            return self
        return ActivePolicy(chosen, self.challenger)


class PolicyWatch:
    """Tails POLICY in a thread of its own and swaps the active policy whole.

    A promoted model that cannot be loaded leaves the whole policy before in place; a challenger
    that cannot leaves its share to the model in force. Both are said in the log, and tried again:
    an artefact may still be on its way to this machine.
    """

    def __init__(self, log: EventLog, load: Callable[[Model], Scorer]) -> None:
        self._log, self._load = log, load
        self._told = NO_POLICY
        self._active = ActivePolicy(NO_POLICY, None)
        self._loaded: dict[str, Scorer] = {}
        self._refused: set[str] = set()
        self._whole = True
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policy", daemon=True)

    def start(self) -> None:
        """Returns once all policy known so far is active. Raises LogUnavailableError.

        Where the newest model cannot be loaded the latest policy before it is, whose model can: a
        process that was not started anew would have kept that.
        """
        offset, before = -1, list[PolicySnapshot]()
        for recorded in self._log.read(POLICY):
            told = self._told
            self._hear(recorded)
            if told.model is not None and told.model != self._told.model:
                before.append(told)
            offset = recorded.position.offset
        self._settle()
        while self._active.scorer is None and before:
            self._take(before.pop())
        self._next = offset + 1
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
                        self._hear(recorded)
                        self._settle()
                    if not self._whole:
                        self._settle()
                except RetraceError as error:
                    logger.warning("%s; policy stays as it is", error)
                    self._closing.wait(_PAUSE_SECONDS)
        finally:
            tail.close()

    def _hear(self, recorded: Recorded) -> None:
        offset = recorded.position.offset
        try:
            self._told = self._told.apply(decode(recorded.value).data, offset)
        except RetraceError as error:
            # What a later version has written must not keep the next from being heard.
            logger.error("policy %s is refused: %s", offset, error)

    def _settle(self) -> None:
        """Puts in force what was told, as far as its models can be loaded."""
        self._whole = self._take(self._told)

    def _take(self, told: PolicySnapshot) -> bool:
        """True where all its models could be loaded; nothing changes without that in force."""
        scorer = self._scorer(told.model) if told.model else None
        challenger = self._scorer(told.roll_out) if told.roll_out else None
        if told.model is not None and scorer is None:
            return False
        snapshot = told if challenger is not None else replace(told, roll_out=None)
        self._active = ActivePolicy(snapshot, scorer, challenger)
        used = {each.model_hash for each in (told.model, told.roll_out) if each is not None}
        self._loaded = {name: kept for name, kept in self._loaded.items() if name in used}
        return (told.roll_out is None) == (challenger is None)

    def _scorer(self, model: Model) -> Scorer | None:
        found = self._loaded.get(model.model_hash)
        if found is not None:
            return found
        try:
            found = self._loaded[model.model_hash] = self._load(model)
        except Exception as error:
            # Whatever is wrong with a model, those before it must go on and the next be heard.
            if model.model_hash not in self._refused:
                self._refused.add(model.model_hash)
                known = isinstance(error, RetraceError)
                logger.error("model %s is refused: %s", model.model_id, error, exc_info=not known)
            return None
        self._refused.discard(model.model_hash)
        return found
