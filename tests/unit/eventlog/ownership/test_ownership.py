"""Ownership: where a request is taken, while partitions are owned, change hands, or have nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from domain.errors import NotOwnedError
from eventlog.in_memory import InMemoryEventLog
from eventlog.ledger.ledger import ALL, Ledger
from eventlog.ownership import ownership as module
from eventlog.ownership.members import Told
from eventlog.ownership.ownership import Ownership
from eventlog.topics import TRANSACTIONS
from host.processes import wait_until
from tests.fakes.events import submitted
from tests.fakes.members import InMemoryGroup

US, THEM = "http://us", "http://them"


class ByHand:
    """Members of which a test tells what it likes."""

    def __init__(self) -> None:
        self.told: Told
        self.looks = 0

    def start(self, told: Told) -> None:
        self.told = told

    def look(self) -> None:
        self.looks += 1

    def close(self) -> None:
        """Nobody is left."""


@asynccontextmanager
async def owning(
    log: InMemoryEventLog, members: object, url: str = US
) -> AsyncIterator[tuple[Ownership, Ledger]]:
    ledger = Ledger(log, partitions=())
    ledger.start()
    ownership = Ownership(log, ledger, members, url)  # type: ignore[arg-type]
    ownership.start()
    yield ownership, ledger
    await ownership.close()
    ledger.close()


def in_partition(log: InMemoryEventLog, partition: int) -> str:
    return next(
        name for n in range(1_000) if log.partition_of(TRANSACTIONS, name := f"t-{n}") == partition
    )


async def taken(ownership: Ownership, transaction_id: str, forwarded: bool = False) -> str:
    async def here() -> str:
        return US

    async def there(url: str) -> str:
        return url

    return await ownership.at_owner(transaction_id, here, there, forwarded)


async def until(holds: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(wait_until, holds, 10.0)


async def test_each_of_two_takes_its_own_and_gives_the_other_the_rest() -> None:
    log, group = InMemoryEventLog(), InMemoryGroup()
    for n in range(50):
        await log.append(TRANSACTIONS, f"t-{n}", submitted(f"t-{n}"))
    async with (
        owning(log, group.member(US)) as (ours, ledger),
        owning(log, group.member(THEM), THEM) as (theirs, _),
    ):
        await until(lambda: ours.serving() | theirs.serving() == set(ALL))
        await until(lambda: not ours.serving() & theirs.serving())
        owners = group.owners()
        for partition in ALL:
            name = in_partition(log, partition)
            assert await taken(ours, name) == owners[partition]
            if owners[partition] == US:
                assert ledger.known(name) is not None
        assert ours.others() == {THEM}
    assert len(group.owners()) == 0


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_each_of_several_reads_its_share_of_the_log_and_no_more(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.0)
    log, group = InMemoryEventLog(), InMemoryGroup()
    async with AsyncExitStack() as stack:
        urls = [f"http://{number}" for number in range(count)]
        found = [
            await stack.enter_async_context(owning(log, group.member(url), url)) for url in urls
        ]
        served = [ownership.serving for ownership, _ in found]
        pairs = list(zip(found, served, strict=True))
        await until(lambda: sum(len(each()) for each in served) == len(ALL))
        await until(lambda: all(ledger._following.followed == own() for (_, ledger), own in pairs))
        for n in range(100):
            await log.append(TRANSACTIONS, f"t-{n}", submitted(f"t-{n}"))
        for _, ledger in found:
            await ledger.caught_up()
        # All that each of them has read, of whichever partition.
        assert sum(sum(ledger.ends()) for _, ledger in found) == 100


async def test_nothing_is_served_before_the_own_tail_has_reached_what_was_there() -> None:
    log, members = InMemoryEventLog(), ByHand()
    await log.append(TRANSACTIONS, "t-1", submitted("t-1"))
    async with owning(log, members) as (ownership, ledger):
        members.told(set(ALL), {})
        await ownership.settled()
        assert ownership.serving() == set(ALL)
        assert ledger.known("t-1") is not None


async def test_an_earlier_life_under_our_url_is_not_waited_for() -> None:
    log, members = InMemoryEventLog(), ByHand()
    async with owning(log, members) as (ownership, _):
        members.told((), {1: US, 2: THEM})
        await ownership.settled()
        assert await taken(ownership, in_partition(log, 1)) == US
        assert await taken(ownership, in_partition(log, 2)) == THEM


async def test_a_forwarded_request_goes_no_further() -> None:
    log, members = InMemoryEventLog(), ByHand()
    async with owning(log, members) as (ownership, _):
        members.told({1}, {1: US, 2: THEM})
        await ownership.settled()
        with pytest.raises(NotOwnedError):
            await taken(ownership, in_partition(log, 2), forwarded=True)
        assert await taken(ownership, in_partition(log, 1), forwarded=True) == US


async def test_what_changes_hands_is_waited_for() -> None:
    log, members = InMemoryEventLog(), ByHand()
    async with owning(log, members) as (ownership, _):
        members.told({1}, {})
        await ownership.settled()
        asked = asyncio.ensure_future(taken(ownership, in_partition(log, 2)))
        await until(lambda: members.looks > 0)
        members.told({1, 2}, {})
        assert await asked == US


async def test_what_nobody_owns_is_given_up_after_some_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.2)
    log, members = InMemoryEventLog(), ByHand()
    async with owning(log, members) as (ownership, _):
        members.told({1}, {2: THEM})
        await ownership.settled()

        async def here() -> str:
            return US

        async def away(url: str) -> str:
            raise NotOwnedError(url)

        for partition in (2, 3):
            with pytest.raises(NotOwnedError, match="changing hands"):
                await ownership.at_owner(in_partition(log, partition), here, away)


async def test_what_we_lost_we_answer_for_until_another_owner_is_known_or_the_grace_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.3)
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.2)
    log, members = InMemoryEventLog(), ByHand()
    async with owning(log, members) as (ownership, ledger):
        owners: Mapping[int, str] = {}
        members.told({1, 2, 3}, owners)
        await ownership.settled()
        members.told({1}, {1: US})
        await until(lambda: len(ownership.serving()) == 3)
        members.told({1}, {1: US, 2: THEM})
        await until(lambda: ownership.serving() == {1, 3})
        assert await taken(ownership, in_partition(log, 2)) == THEM
        assert await taken(ownership, in_partition(log, 3)) == US
        await until(lambda: ownership.serving() == {1})
        with pytest.raises(NotOwnedError):
            ledger.known(in_partition(log, 3))
        with pytest.raises(NotOwnedError):
            await taken(ownership, in_partition(log, 3))
