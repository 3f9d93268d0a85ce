"""Policy in force: the snapshot of the POLICY topic, with its models loaded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from commands.policy.topic import PolicyTopic
from commands.ports.rules import CompiledRules
from commands.ports.scorer import Scorer
from domain.errors import RetraceError
from domain.events import DeclaredList, Rule
from domain.policy.rules.ruling import RuleSet
from domain.policy.snapshot import NO_POLICY, Model, PolicySnapshot
from eventlog.port import EventLog

logger = logging.getLogger(__name__)

Compile = Callable[[Sequence[Rule], Sequence[DeclaredList]], CompiledRules]
"""Raises InvalidInputError for a rule that this version does not take."""

_RETRY_SECONDS = 1.0
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """One immutable snapshot; a decision uses one from beginning to end.

    `challenger` is the scorer of the snapshot's roll-out, and there whenever the roll-out is;
    `rules` are the compiled ones of its rule set, likewise.
    """

    snapshot: PolicySnapshot
    scorer: Scorer | None
    challenger: Scorer | None = None
    rules: CompiledRules | None = None

    def of(self, transaction_id: str) -> ActivePolicy:
        """What decides this transaction: the model in force or the challenger, with its thresholds.

        Fallback rules never replace a challenger: without its scorer there is no roll-out.
        """
        chosen = self.snapshot.of(transaction_id)
        if chosen is self.snapshot or self.challenger is None:
            return self
        return ActivePolicy(chosen, self.challenger, rules=self.rules)


class PolicyWatch:
    """Tails POLICY in a thread of its own and swaps the active policy whole.

    A promoted model that cannot be loaded, and rules that cannot be compiled, leave the whole
    policy before in place; a challenger that cannot leaves its share to the model in force. All
    are logged, and tried again: an artefact may still be on its way to this machine.
    """

    def __init__(self, log: EventLog, load: Callable[[Model], Scorer], compiled: Compile) -> None:
        self._topic, self._load, self._compile = PolicyTopic(log), load, compiled
        self._latest = NO_POLICY
        self._active = ActivePolicy(NO_POLICY, None)
        self._loaded: dict[str, Scorer] = {}
        self._compiled: tuple[RuleSet, CompiledRules] | None = None
        self._refused: set[str] = set()
        self._complete = True
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policy", daemon=True)

    def start(self) -> None:
        """Returns once all policy known so far is active. Raises LogUnavailableError.

        Where the newest model cannot be loaded, or the newest rules cannot be compiled, the latest
        policy that can be is active: a process that had kept running would have kept that one.
        """
        before: list[PolicySnapshot] = []
        for offset, fact in self._topic.read():
            earlier, self._latest = self._latest, self._latest.apply(fact.data, offset)
            other = (earlier.model, earlier.rules) != (self._latest.model, self._latest.rules)
            if other and (earlier.model, earlier.rules) != (None, None):
                before.append(earlier)
        self._activate_latest()
        while self._active.snapshot is NO_POLICY and before:
            self._activate(before.pop())
        self._thread.start()

    def current(self) -> ActivePolicy:
        return self._active

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                try:
                    for offset, fact in self._topic.poll(_RETRY_SECONDS):
                        self._latest = self._latest.apply(fact.data, offset)
                        self._activate_latest()
                    if not self._complete:
                        self._activate_latest()
                except RetraceError as error:
                    logger.warning("policy stays as it is: %s", error)
                    self._closing.wait(_PAUSE_SECONDS)
        finally:
            self._topic.close()

    def _activate_latest(self) -> None:
        self._complete = self._activate(self._latest)
        if self._active.snapshot.routes != self._latest.routes:
            # They decide nothing, and wait for no model.
            snapshot = replace(self._active.snapshot, routes=self._latest.routes)
            self._active = replace(self._active, snapshot=snapshot)

    def _activate(self, policy: PolicySnapshot) -> bool:
        """True where all of it could be loaded; without its model or rules nothing changes."""
        scorer = self._scorer(policy.model) if policy.model else None
        challenger = self._scorer(policy.roll_out) if policy.roll_out else None
        if policy.model is not None and scorer is None:
            return False
        rules = self._rules(policy.rules) if policy.rules else None
        if policy.rules is not None and rules is None:
            return False
        snapshot = policy if challenger is not None else replace(policy, roll_out=None)
        self._active = ActivePolicy(snapshot, scorer, challenger, rules)
        used = {each.model_hash for each in (policy.model, policy.roll_out) if each is not None}
        self._loaded = {name: kept for name, kept in self._loaded.items() if name in used}
        return (policy.roll_out is None) == (challenger is None)

    def _scorer(self, model: Model) -> Scorer | None:
        found = self._loaded.get(model.model_hash)
        if found is not None:
            return found
        try:
            found = self._loaded[model.model_hash] = self._load(model)
        except Exception as error:
            # Whatever is wrong with a model, the one before it goes on, and later facts count.
            self._refuse(model.model_hash, f"model {model.model_id} is refused", error)
            return None
        self._refused.discard(model.model_hash)
        return found

    def _rules(self, rule_set: RuleSet) -> CompiledRules | None:
        if self._compiled is not None and self._compiled[0] == rule_set:
            return self._compiled[1]
        try:
            made = self._compile(rule_set.rules, rule_set.lists)
        except Exception as error:
            version = rule_set.version
            self._refuse(f"rules/{version}", f"rules of version {version} are refused", error)
            return None
        self._compiled = (rule_set, made)
        return made

    def _refuse(self, name: str, what: str, error: Exception) -> None:
        """Told once, though it is tried again and again."""
        if name not in self._refused:
            self._refused.add(name)
            logger.error("%s: %s", what, error, exc_info=not isinstance(error, RetraceError))
