"""A schedule: who runs where, what is sent, and the faults that come meanwhile."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from faults.clients.traffic import Amounts, Traffic
from faults.installation.hosts import Host
from faults.installation.installation import Installation

Faults = Callable[[Installation], Awaitable[None]]
More = Callable[[Traffic], Awaitable[None]]

USUAL: Mapping[str, str] = {
    "api-1": "east",
    "api-2": "west",
    "decisions-1": "east",
    "features-1": "east",
    "features-2": "west",
    "offline-1": "west",
    "readmodels-1": "east",
    "readmodels-2": "west",
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """`skews` are seconds by host, `waiting` the processes that do not start with the others.

    `more` is sent besides the usual traffic. With `may_stall` workers may be ended by their
    watchdog. `faults` returns once the last of them is over.
    """

    name: str
    about: str
    faults: Faults
    layout: Mapping[str, str] = field(default_factory=lambda: USUAL)
    amounts: Amounts = field(default_factory=Amounts)
    skews: Mapping[str, float] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    more: More | None = None
    may_stall: bool = False

    def hosts(self) -> list[Host]:
        names = sorted(set(self.layout.values()))
        return [Host(name, self.skews.get(name, 0.0)) for name in names]
