"""Alerts that wait for a route, and the messages that are made of them."""

import asyncio
from dataclasses import dataclass

from domain.events import Envelope, RuleSeverity


@dataclass(slots=True, eq=False)
class Waiting:
    """An alert for a route. `arrived` and `due` are times of the loop, `since` when its day began.

    `cause` is the fact that asked for it: that it was raised, or is wanted again. `digest` is the
    key of the one that it was gathered for, whose alerts lie in the partitions `together`. `key` is
    that of its own message.
    """

    raised: Envelope
    cause: Envelope
    severity: RuleSeverity
    partition: int
    offset: int
    arrived: float
    attempts: int = 0
    due: float = 0.0
    digest: str = ""
    together: frozenset[int] = frozenset()

    @property
    def key(self) -> str:
        return self.cause.id

    @property
    def place(self) -> tuple[int, int]:
        return self.partition, self.offset

    @property
    def again(self) -> bool:
        return self.cause is not self.raised

    @property
    def order(self) -> tuple[int, int, int]:
        return self.raised.known_time, self.partition, self.offset


@dataclass(slots=True, eq=False)
class Parcel:
    """One message: an alert alone, or a digest of several. `gathered`: the log has its members."""

    key: str
    members: list[Waiting]
    digest: bool = False
    gathered: bool = False
    attempts: int = 0
    due: float = 0.0
    done: bool = False
    task: asyncio.Task[None] | None = None
