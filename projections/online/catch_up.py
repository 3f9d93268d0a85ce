"""Catch-up of a generation that is not live: folds the entity topic up to its end, once."""

import asyncio
from functools import partial
from itertools import islice

from eventlog.batch import Batch, Record
from eventlog.port import EventLog, Position
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import StateStore
from projections.online.rebuild_flags import RebuildFlags
from projections.online.writer import EntityWriter

_AT_ONCE = 2_000


class CatchUp:
    """Folds the entity topic as its writer does, from the markers of `states` on.

    `states` is pinned to a generation that no worker writes.
    """

    def __init__(self, log: EventLog, states: StateStore) -> None:
        self._log = log
        flags = RebuildFlags(states, partial(log.ends, TRANSACTIONS))
        ends = partial(log.ends, ENTITIES)
        self._writer = EntityWriter(states, _dead_lettered, flags, ends, _nothing)

    async def run(self) -> int:
        """Reads up to where the topic ends now; returns how many records there were.

        The log goes on meanwhile: the worker folds the rest once the states are live, and what the
        entity topic no longer holds is routed to it anew. Raises UnavailableError, and FencedError
        where another process writes the generation.
        """
        starts = await self._writer.assign(set(range(ENTITIES.partitions)))
        ends = list(await self._log.ends(ENTITIES))
        taken = 0
        for shard, start in starts.items():
            if start < ends[shard]:
                taken += await self._shard(shard, start, ends)
        await self._writer.save()
        return taken

    async def _shard(self, shard: int, start: int, ends: list[int]) -> int:
        upto = {each: ends[shard] if each == shard else 0 for each in range(len(ends))}
        records = self._log.read(ENTITIES, {shard: start}, upto)
        taken = 0
        while some := await asyncio.to_thread(lambda: list(islice(records, _AT_ONCE))):
            batch: list[Record] = [(r.position.offset, None, r.value) for r in some]
            await self._writer.handle([Batch(ENTITIES.name, shard, batch, ends[shard])])
            taken += len(some)
        return taken


def _nothing() -> None:
    """A refusal ends the catch-up with its error."""


async def _dead_lettered(_position: Position, _value: bytes, _reason: str) -> None:
    """What cannot be folded was dead-lettered by the worker of the live generation."""
