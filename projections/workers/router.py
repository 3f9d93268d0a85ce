"""Owns the router: what counts in TRANSACTIONS goes to the shares of its entities, in batches.

Each share gets one record per batch, also where nothing in the batch concerns it: the record says
how far the source has been read. Where to go on is asked from the markers of the shares alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.features import FeatureEvent, entity_keys, feature_event
from eventlog.routing import VERSION, Routed, encode_routed, share_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.feature_state import StateStore
from projections.workers.batches import Batch
from projections.workers.judging import Judge

Send = Callable[[int, bytes], Awaitable[object]]
"""Appends to a share of ENTITIES; returns once acknowledged. Raises UnavailableError."""

# Bounds the size of a routed record: an event is about 200 bytes.
_AT_ONCE = 2000

Entry = tuple[int, list[str], list[Any]]


class Router:
    """A BatchHandler of TRANSACTIONS."""

    def __init__(self, states: StateStore, judge: Judge, send: Send) -> None:
        self._states, self._judge, self._send = states, judge, send
        self._next: dict[int, int] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        await asyncio.to_thread(self._states.adopt)
        markers = await asyncio.to_thread(self._states.markers)
        covered = markers.covered(TRANSACTIONS.partitions, ENTITIES.partitions)
        self._next = {partition: covered[partition] + 1 for partition in partitions}
        remembered = self._judge.open(partitions, {p for p, at in self._next.items() if not at})
        return {p: min(at, remembered.get(p, at)) for p, at in self._next.items()}

    async def handle(self, batch: Batch) -> None:
        for start in range(0, len(batch.records), _AT_ONCE):
            records = batch.records[start : start + _AT_ONCE]
            await self._route(Batch(batch.topic, batch.partition, records, batch.end))

    async def revoke(self, partitions: set[int]) -> None:
        for partition in partitions:
            self._next.pop(partition, None)

    async def _route(self, batch: Batch) -> None:
        judged = await self._judge.judge(batch)
        first = self._next[batch.partition]
        if batch.next > first:
            shares: dict[int, list[Entry]] = {q: [] for q in range(ENTITIES.partitions)}
            for each in judged:
                if each.verdict == "counts" and each.envelope and each.position.offset >= first:
                    _share_out(shares, each.position.offset, feature_event(each.envelope))
            # `first` may lie before the batch: offsets that the log no longer has are covered.
            await asyncio.gather(
                *(
                    self._send(share, encode_routed(
                        Routed(VERSION, batch.partition, first, batch.next - 1, entries)))
                    for share, entries in shares.items()
                )
            )  # fmt: skip
            self._next[batch.partition] = batch.next
        self._judge.keep(batch)


def _share_out(shares: dict[int, list[Entry]], offset: int, event: FeatureEvent | None) -> None:
    if event is None:
        return
    concerned: dict[int, list[str]] = {}
    for entity, key in entity_keys(event).items():
        concerned.setdefault(share_of(entity, key), []).append(entity)
    wire = event.to_wire()
    for share, entities in concerned.items():
        shares[share].append((offset, entities, wire))
