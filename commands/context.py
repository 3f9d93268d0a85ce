"""Owns what the handlers are given: ports, clock, keys. Built by runtime; nothing is global."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from commands.intake.cleaner import Edge
from commands.policy.active import ActivePolicy
from commands.ports.features import FeatureReader
from commands.single_flight import SingleFlight
from eventlog.ledger.ledger import Ledger
from eventlog.port import EventLog

Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Context:
    """`clock` gives microseconds UTC; `deadline` is seconds for reading features and for asking a
    model server, both together.

    `pool` runs what blocks; `source` names this process in the events it appends.
    """

    source: str
    clock: Clock
    log: EventLog
    ledger: Ledger
    edge: Edge
    features: FeatureReader
    policy: Callable[[], ActivePolicy]
    pool: Executor
    deadline: float
    flight: SingleFlight = field(default_factory=SingleFlight)
