"""Planted bugs in what must hold under faults, each of which `retrace simulate-faults` is to find.

Each takes the place of a text that is in its file. `schedules` are those that show it soonest.
"""

from typing import NamedTuple

DECIDING, AGENTS = "commands/transactions", "commands/agents"
LOG, ONLINE, OFFLINE = "eventlog", "projections/online", "projections/offline"
FAUST = "projections/faust"
_USUAL = ("thick-traffic", "mixed", "outages-with-kills")


class Planted(NamedTuple):
    name: str
    file: str
    before: str
    after: str
    schedules: tuple[str, ...] = _USUAL
