"""Router: sends the transactions that count to the shards of their entities, in batches.

A shard gets one record per batch that concerns it, and now and then one without entries, a
watermark: each says how far the source has been read. The router resumes from the markers of the
shards alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.features import FeatureEvent, entity_keys, feature_event
from eventlog.batch import Batch
from eventlog.routing import VERSION, Routed, encode_routed, shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.faust.admission import RecordAdmission
from projections.online.port import StateStore

Send = Callable[[int, bytes], Awaitable[object]]
"""Appends to a shard of ENTITIES; returns once acknowledged. Raises UnavailableError."""

# Bounds the size of a routed record: an event is about 200 bytes.
_AT_ONCE = 2000
# Bounds how far back the tail of a reader must reach for entities without events.
_WATERMARK_SECONDS = 0.25

Entry = tuple[int, list[str], list[Any]]


class Router:
    """A BatchHandler of TRANSACTIONS. `_sent`: per source, the offset that each shard was sent."""

    def __init__(self, states: StateStore, admission: RecordAdmission, send: Send) -> None:
        self._states, self._admission, self._send = states, admission, send
        self._next: dict[int, int] = {}
        self._sent: dict[int, list[int]] = {}
        self._turns = {source: asyncio.Lock() for source in range(TRANSACTIONS.partitions)}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        await asyncio.to_thread(self._states.adopt)
        markers = await asyncio.to_thread(self._states.markers)
        covered = markers.covered(TRANSACTIONS.partitions, ENTITIES.partitions)
        self._next = {partition: covered[partition] + 1 for partition in partitions}
        self._sent = {source: [at] * ENTITIES.partitions for source, at in self._next.items()}
        remembered = self._admission.open(partitions, {p for p, at in self._next.items() if not at})
        return {p: min(at, remembered.get(p, at)) for p, at in self._next.items()}

    async def handle(self, batch: Batch) -> None:
        for start in range(0, len(batch.records), _AT_ONCE):
            records = batch.records[start : start + _AT_ONCE]
            async with self._turns[batch.partition]:
                await self._route(Batch(batch.topic, batch.partition, records, batch.end))

    async def revoke(self, partitions: set[int]) -> None:
        for partition in partitions:
            self._next.pop(partition, None)

    async def watch(self) -> None:
        """Sends watermarks, for ever, to the shards that a source had nothing for."""
        while True:
            await asyncio.sleep(_WATERMARK_SECONDS)
            for source in list(self._next):
                async with self._turns[source]:
                    if source in self._next:
                        await self._send_upto(source, self._next[source], {})

    async def _route(self, batch: Batch) -> None:
        checked = await self._admission.check(batch)
        first = self._next[batch.partition]
        if batch.next > first:
            shards: dict[int, list[Entry]] = {}
            for each in checked:
                if each.status == "counts" and each.envelope and each.position.offset >= first:
                    _add_entries(shards, each.position.offset, feature_event(each.envelope))
            # Shards that nothing concerns get a watermark from `watch`: where traffic is thin this
            # saves seven of eight records, and a decision waits for none of them.
            if shards:
                await self._send_upto(batch.partition, batch.next, shards)
            self._next[batch.partition] = batch.next
        self._admission.commit(batch)

    async def _send_upto(self, source: int, upto: int, shards: Mapping[int, list[Entry]]) -> None:
        """Sends the entries of `shards`; where it is empty, watermarks to all that are behind."""
        sent = self._sent[source]
        before = list(sent)
        sends = []
        for shard in shards or range(len(sent)):
            # `first` may lie before the batch: offsets that the log no longer has are covered.
            if sent[shard] < upto:
                entries = shards.get(shard, [])
                record = Routed(VERSION, source, sent[shard], upto - 1, entries)
                sends.append(self._send(shard, encode_routed(record)))
                sent[shard] = upto
        try:
            await asyncio.gather(*sends)
        except BaseException:
            # What did arrive is sent again, and skipped by its offsets.
            sent[:] = before
            raise


def _add_entries(shards: dict[int, list[Entry]], offset: int, event: FeatureEvent | None) -> None:
    if event is None:
        return
    concerned: dict[int, list[str]] = {}
    for entity, key in entity_keys(event).items():
        concerned.setdefault(shard_of(entity, key), []).append(entity)
    wire = event.to_wire()
    for shard, entities in concerned.items():
        shards.setdefault(shard, []).append((offset, entities, wire))
