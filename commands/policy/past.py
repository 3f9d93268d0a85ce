"""Policies of the past: the snapshot of any version, and its rules, compiled."""

import logging
from collections import OrderedDict
from collections.abc import Iterator

from commands.policy.topic import Fact, facts
from commands.ports.rules import CompiledRules, RuleLanguage
from domain.errors import InvalidInputError
from domain.policy.rules.ruling import RuleSet
from domain.policy.snapshot import NO_POLICY, PolicySnapshot
from eventlog.port import EventLog

logger = logging.getLogger(__name__)

_KEPT = 32


class PastPolicies:
    """The policies of a log as of any offset; cheap where offsets ascend or are asked for again.

    One thread at a time.
    """

    def __init__(self, log: EventLog, language: RuleLanguage) -> None:
        self._log, self._language = log, language
        self._kept: OrderedDict[int, PolicySnapshot] = OrderedDict()
        self._compiled: dict[int, CompiledRules | None] = {}
        self._snapshot = NO_POLICY
        self._rest: Iterator[Fact] = iter(())
        self._next: Fact | None = None
        self._restart()

    def of(self, version: int) -> PolicySnapshot:
        """All facts up to that offset, which need not be one's own. Raises LogUnavailableError."""
        found = self._kept.get(version)
        if found is None:
            found = self._kept[version] = self._walked(version)
        self._kept.move_to_end(version)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def compiled(self, rule_set: RuleSet) -> CompiledRules | None:
        """None where this version does not take its rules."""
        if rule_set.version not in self._compiled:
            try:
                made = self._language.compile(rule_set.rules, rule_set.lists)
            except InvalidInputError as error:
                logger.error("rules of version %d cannot be replayed: %s", rule_set.version, error)
                made = None
            self._compiled[rule_set.version] = made
        return self._compiled[rule_set.version]

    def _walked(self, version: int) -> PolicySnapshot:
        if version < self._snapshot.version:
            self._restart()
        while self._next is not None and self._next[0] <= version:
            offset, fact = self._next
            self._snapshot = self._snapshot.apply(fact.data, offset)
            self._next = next(self._rest, None)
        return self._snapshot

    def _restart(self) -> None:
        self._snapshot = NO_POLICY
        self._rest = facts(self._log)
        self._next = next(self._rest, None)
