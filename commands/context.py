"""Context of the command handlers: ports, clock and keys of one process."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from commands.intake.cleaner import PayloadCleaner
from commands.key_locks import KeyLocks
from commands.policy.active import ActivePolicy
from commands.ports.features import FeatureReader
from eventlog.ledger.ledger import Ledger
from eventlog.port import EventLog

Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Context:
    """`clock` gives microseconds UTC; `deadline` is seconds for reading features and for asking a
    model server, both together.

    `pool` runs scorers that block; `source` names this process in the events it appends.
    """

    source: str
    clock: Clock
    log: EventLog
    ledger: Ledger
    cleaner: PayloadCleaner
    features: FeatureReader
    policy: Callable[[], ActivePolicy]
    pool: Executor
    deadline: float
    locks: KeyLocks = field(default_factory=KeyLocks)
