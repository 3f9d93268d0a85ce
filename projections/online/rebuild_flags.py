"""Flags of the shards whose states are being rebuilt from the log; readers report them."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress

from domain.errors import FencedError, IntegrityError
from eventlog.topics import TRANSACTIONS
from projections.online.port import Marker, StateStore
from projections.ports import Ends

logger = logging.getLogger(__name__)


class RebuildFlags:
    """A shard whose marker covers nothing is rebuilt up to the end of the log at its assignment."""

    def __init__(self, states: StateStore, ends: Ends) -> None:
        self._states, self._ends = states, ends
        self._until: dict[int, Sequence[int]] = {}
        self._epochs: Mapping[int, int] = {}

    async def begin(
        self, markers: Mapping[int, Marker], flagged: frozenset[int], epochs: Mapping[int, int]
    ) -> None:
        """Flags the shards that have lost their states; an interrupted rebuild goes on.

        `epochs` are those that the writer has claimed the shards by.
        """
        ends = await self._ends()
        self._until, self._epochs = {}, epochs
        for shard, marker in markers.items():
            if _reaches(marker, ends):
                if shard in flagged:
                    await self._flag(shard, False)
            elif not marker.last or shard in flagged:
                self._until[shard] = ends
                await self._flag(shard, True)
        if self._until:
            logger.warning(
                "features: %d shards of the online states are being rebuilt from %d records of %s",
                len(self._until), sum(ends), TRANSACTIONS.name,
            )  # fmt: skip

    async def advance(self, shard: int, marker: Marker) -> None:
        until = self._until.get(shard)
        if until is not None and _reaches(marker, until):
            await self._flag(shard, False)
            del self._until[shard]
            if not self._until:
                logger.info("features: the online states are complete again")

    async def _flag(self, shard: int, on: bool) -> None:
        # Whoever has claimed the shard since has flagged it as it found it, and a keyspace that is
        # gone is made again, and flagged then: the next write or look of the writer finds out.
        with suppress(FencedError, IntegrityError):
            await asyncio.to_thread(self._states.rebuilding, shard, on, self._epochs[shard])


def _reaches(marker: Marker, ends: Sequence[int]) -> bool:
    return all(marker.covers(source) >= end - 1 for source, end in enumerate(ends))
