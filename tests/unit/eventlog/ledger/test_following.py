"""A ledger that follows some partitions: what it reads, what it knows, and what it hands over."""

from collections.abc import Mapping

import pytest

from domain.errors import NotOwnedError
from eventlog.in_memory import InMemoryEventLog, InMemoryTail
from eventlog.index.files import FolderFiles
from eventlog.ledger.ledger import ALL, Ledger
from eventlog.port import Recorded
from eventlog.topics import TRANSACTIONS, Topic
from tests.fakes.events import scored, submitted


class CountingLog(InMemoryEventLog):
    """Counts the records that its tails gave, by partition."""

    def __init__(self) -> None:
        super().__init__()
        self.given = dict.fromkeys(ALL, 0)

    def tail(
        self, topic: Topic, start: Mapping[int, int], *, gathered: bool = False
    ) -> InMemoryTail:
        return CountingTail(self, topic, start)


class CountingTail(InMemoryTail):
    def poll(self, timeout: float, most: int = 1000) -> list[Recorded]:
        found = super().poll(timeout, most)
        assert isinstance(self._log, CountingLog)
        for each in found:
            self._log.given[each.position.partition] += 1
        return found


async def filled(log: InMemoryEventLog, per_partition: int = 3) -> dict[int, str]:
    """Ids of the last submission of each partition."""
    last: dict[int, str] = {}
    counted = dict.fromkeys(ALL, 0)
    number = 0
    while min(counted.values()) < per_partition:
        name, number = f"t-{number}", number + 1
        partition = log.partition_of(TRANSACTIONS, name)
        if counted[partition] < per_partition:
            await log.append(TRANSACTIONS, name, submitted(name))
            counted[partition], last[partition] = counted[partition] + 1, name
    return last


def started(log: InMemoryEventLog, *partitions: int) -> Ledger:
    ledger = Ledger(log, partitions=partitions)
    ledger.start()
    return ledger


async def test_it_reads_its_partitions_and_no_others() -> None:
    log = CountingLog()
    last = await filled(log)
    ledger = started(log, 1, 4)
    await ledger.caught_up()
    assert {p for p, given in log.given.items() if given} == {1, 4}
    assert ledger.known(last[1]) is not None
    with pytest.raises(NotOwnedError, match="changing hands"):
        ledger.known(last[2])
    assert set(await ledger.undecided()) == {
        name for n in range(99) if log.partition_of(TRANSACTIONS, name := f"t-{n}") in (1, 4)
        and ledger.known(name)
    }  # fmt: skip
    ledger.close()


async def test_what_becomes_its_own_is_read_from_the_beginning_and_what_comes_back_is_read_on() -> (
    None
):
    log = CountingLog()
    last = await filled(log)
    ledger = started(log, 1)
    await ledger.caught_up()
    ledger.follow((2,))
    await ledger.caught_up()
    assert ledger.known(last[2]) is not None
    await log.append(TRANSACTIONS, last[1], scored(last[1]))
    ledger.follow((1, 2))
    await ledger.caught_up()
    known = ledger.known(last[1])
    assert known is not None
    assert known.scored_offset == 3
    # Of what was followed before only what is new.
    assert (log.given[1], log.given[2]) == (4, 3)
    ledger.close()


async def test_what_was_appended_before_it_was_left_is_still_known_at_its_acknowledgement() -> None:
    log = CountingLog()
    last = await filled(log)
    ledger = started(log, 1)
    await ledger.caught_up()
    ledger.follow(())
    place = await ledger.append(scored(last[1]))
    await ledger.passed(place.partition, place.offset)
    ledger.close()


async def test_a_restarted_ledger_goes_on_where_each_partition_was_left(tmp_path: object) -> None:
    log = CountingLog()
    last = await filled(log)
    path = tmp_path / "ids.sqlite"  # type: ignore[operator]
    for partitions in ((1,), (2,)):
        ledger = Ledger(log, FolderFiles(path), partitions=partitions)
        ledger.start()
        await ledger.caught_up()
        ledger.close()
    log.given = dict.fromkeys(ALL, 0)
    ledger = Ledger(log, FolderFiles(path), partitions=(1, 2))
    ledger.start()
    await ledger.caught_up()
    assert await ledger.recalled(last[1])
    assert await ledger.recalled(last[2])
    assert sum(log.given.values()) == 0
    ledger.close()
