"""Ownership: takes a request where its transaction is answered for, here or at another process.

An owner alone writes to its partitions, so it needs no other's records to decide, and reads no
others. That is an advantage and no matter of correctness: where two write, the log arbitrates.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from domain.errors import LogUnavailableError, NotOwnedError
from eventlog.ledger.ledger import Ledger
from eventlog.ledger.shared_call import SharedCall
from eventlog.ownership.members import Members
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Requests that were taken before a partition changed hands are answered within this.
_GRACE_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0
_PAUSE_SECONDS = 0.1


class Ownership:
    """Follows what is ours from `start` on; one event loop owns it. `url` is that of this process.

    A partition is served once our tail has reached the end that the log had when it became ours.
    """

    def __init__(self, log: EventLog, ledger: Ledger, members: Members, url: str) -> None:
        self._log, self._ledger, self._members, self._url = log, ledger, members, url
        self._log_ends = SharedCall(partial(log.ends, TRANSACTIONS))
        self._owners: Mapping[int, str] = {}
        self._owned: frozenset[int] = frozenset()
        self._serving: frozenset[int] = frozenset()
        self._leaving: dict[int, asyncio.TimerHandle] = {}
        self._changed = asyncio.Event()
        self._catching_up: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        loop = asyncio.get_running_loop()

        def told(mine: Collection[int], owners: Mapping[int, str]) -> None:
            loop.call_soon_threadsafe(self._take, frozenset(mine), owners)

        self._members.start(told)

    async def close(self) -> None:
        """Leaves, once: others own what was ours."""
        await asyncio.to_thread(self._members.close)
        for task in self._catching_up:
            task.cancel()
        for timer in self._leaving.values():
            timer.cancel()

    async def settled(self) -> None:
        """Returns once all that is ours is served, or others are known to own the rest."""
        while not (self._owned or self._owners) or self._owned != self._serving:
            await self._next_change()

    def serving(self) -> frozenset[int]:
        return self._serving

    def serves(self, partition: int) -> bool:
        return partition in self._serving

    def others(self) -> frozenset[str]:
        """URLs of the other owners, as far as they are known."""
        return frozenset(self._owners.values()) - {self._url}

    async def at_owner(
        self,
        transaction_id: str,
        here: Callable[[], Awaitable[T]],
        there: Callable[[str], Awaitable[T]],
        forwarded: bool = False,
    ) -> T:
        """What `here` answers, or `there` of the owner's URL: it raises NotOwnedError where that
        process is away, or does not own it.

        Raises NotOwnedError while the transaction changes hands for longer than a few seconds; at
        once where the request was `forwarded` to us and is not ours.
        """
        partition = self._log.partition_of(TRANSACTIONS, transaction_id)
        if partition in self._serving:
            return await here()
        until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while partition not in self._serving:
            owner = self._owners.get(partition)
            if partition not in self._owned:
                if forwarded:
                    raise NotOwnedError(transaction_id)
                if owner is not None:
                    try:
                        return await there(owner)
                    except NotOwnedError:
                        logger.debug("%s does not own partition %d", owner, partition)
            if asyncio.get_running_loop().time() > until:
                raise NotOwnedError(transaction_id)
            await self._next_change()
        return await here()

    async def _next_change(self) -> None:
        self._members.look()
        self._changed.clear()
        try:
            async with asyncio.timeout(_PAUSE_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return

    def _take(self, mine: frozenset[int], owners: Mapping[int, str]) -> None:
        self._owners = dict(owners)
        # Under our own URL stands an earlier life of this process, which is not to be waited for.
        owned = mine | {partition for partition, url in owners.items() if url == self._url}
        gained, lost = owned - self._owned, self._owned - owned
        # What we lost we still answer for until another owner is known.
        orphans = (lost | self._leaving.keys()) - self._owners.keys()
        self._owned, self._serving = owned, self._serving & (owned | orphans)
        for partition in lost:
            self._leaving[partition] = asyncio.get_running_loop().call_later(
                _GRACE_SECONDS, self._leave, partition
            )
        for partition in gained & self._leaving.keys():
            self._leaving.pop(partition).cancel()
        if gained:
            self._follow()
        for partition in gained:
            # Each on its own: one that is lost again is never caught up with.
            task = asyncio.get_running_loop().create_task(self._catch_up(partition))
            self._catching_up.add(task)
            task.add_done_callback(self._catching_up.discard)
        self._changed.set()

    def _leave(self, partition: int) -> None:
        self._leaving.pop(partition)
        self._serving -= {partition}
        self._follow()

    def _follow(self) -> None:
        self._ledger.follow(self._owned | self._leaving.keys())

    async def _catch_up(self, partition: int) -> None:
        while True:
            try:
                ends = await self._log_ends()
                await self._ledger.caught_up(upto={partition: ends[partition] - 1})
                break
            except LogUnavailableError as error:
                logger.warning("partition %d is not served yet: %s", partition, error)
                await asyncio.sleep(_PAUSE_SECONDS * 5)
        self._serving |= self._owned & {partition}
        self._changed.set()
        logger.info("serves partitions %s", sorted(self._serving))
