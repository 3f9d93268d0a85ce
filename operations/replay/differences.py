"""Differences between a recorded decision and its replay, each with its cause.

| cause | what differs |
|---|---|
| event | the transaction, or an event that the decision names, is not as the log has it |
| feature | a served value is not what the log gives at the recorded versions |
| model | another model than the policy's, one that cannot be loaded, or another score |
| rule | the rules do something else with the values that were recorded |
| list | a list of another version, or another entry that matched |
| thresholds | other thresholds than the policy's |
| exploration | the payment did not come under exploration as the policy says |
| suppression | another suppression silences its alert, or none does |
| code | this version makes another verdict of the same record, or does not know its features |
| runtime | another score on another machine or library: bits are promised on an equal fingerprint |
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

Cause = Literal[
    "event",
    "feature",
    "model",
    "rule",
    "list",
    "thresholds",
    "exploration",
    "suppression",
    "code",
    "runtime",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """`position` is `partition/offset` of the decision; both values as text that keeps bits."""

    cause: Cause
    transaction_id: str
    position: str
    what: str
    recorded: str
    replayed: str


@dataclass(slots=True)
class Replayed:
    """Decisions compared and different, differences by cause, and the first of them.

    `paths` counts the decisions by the path that they took.
    """

    compared: int = 0
    different: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    shown: list[Difference] = field(default_factory=list)

    @property
    def identical(self) -> int:
        return self.compared - self.different

    def add(self, path: str, found: list[Difference]) -> None:
        """One decision with all that differs in it."""
        self.compared += 1
        self.paths[path] += 1
        self.different += bool(found)
        self.causes.update(each.cause for each in found)
        self.shown += found[: max(SHOWN - len(self.shown), 0)]
