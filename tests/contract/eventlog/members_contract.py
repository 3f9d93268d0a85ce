"""Contract suite of Members; one test module per adapter inherits it and makes the members."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pytest

from eventlog.ledger.ledger import ALL
from eventlog.ownership.members import Members
from host.processes import wait_until

FIRST, SECOND = "http://127.0.0.1:1", "http://127.0.0.1:2"
_SECONDS = 30.0

Join = Callable[[str], "Told"]


@dataclass
class Told:
    """What a member was told last."""

    members: Members
    mine: Collection[int] = ()
    owners: Mapping[int, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, mine: Collection[int], owners: Mapping[int, str]) -> None:
        with self.lock:
            self.mine, self.owners = frozenset(mine), dict(owners)

    def until(self, holds: Callable[["Told"], bool]) -> None:
        def looked() -> bool:
            self.members.look()
            return holds(self)

        assert wait_until(looked, _SECONDS), f"mine {self.mine}, owners {self.owners}"


class MembersContract:
    """Nobody is a member at the start of each test."""

    @pytest.fixture
    def join(self) -> Join:
        raise NotImplementedError("start a member of this URL; all are closed after the test")

    def test_one_alone_has_everything(self, join: Join) -> None:
        join(FIRST).until(lambda told: told.mine == set(ALL))

    def test_two_share_everything_and_each_is_told_who_has_the_rest(self, join: Join) -> None:
        first = join(FIRST)
        first.until(lambda told: told.mine == set(ALL))
        second = join(SECOND)
        second.until(lambda told: len(told.mine) == len(ALL) // 2)
        first.until(lambda told: set(told.mine) == set(ALL) - set(second.mine))
        for one, other in ((first, SECOND), (second, FIRST)):
            rest = dict.fromkeys(set(ALL) - set(one.mine), other)
            one.until(lambda told, rest=rest: rest.items() <= told.owners.items())  # type: ignore[misc]

    def test_what_one_leaves_the_other_has_at_once(self, join: Join) -> None:
        first, second = join(FIRST), join(SECOND)
        for each in (first, second):
            each.until(lambda told: len(told.mine) == len(ALL) // 2)
        first.until(lambda told: set(told.owners) == set(ALL))
        second.members.close()
        first.until(lambda told: told.mine == set(ALL))
