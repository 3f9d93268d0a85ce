"""Port of ownership: membership among the processes that share the partitions of TRANSACTIONS."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

Told = Callable[[Collection[int], Mapping[int, str]], None]
"""Takes the partitions that are ours, and the URL of each one's owner as far as it is known."""


class Members(Protocol):
    """One process among them, with the URL at which the others reach it.

    Nothing but speed depends on what is told: it may be late, and two may hold a partition at the
    same time. The log arbitrates between them.
    """

    def start(self, told: Told) -> None:
        """Asks for partitions; `told` is called from any thread, at each change of either."""
        ...

    def look(self) -> None:
        """Asks soon who the owners are: somebody is not, or not any more. Returns at once."""
        ...

    def close(self) -> None:
        """Leaves: the others take over at once. Blocking."""
        ...
