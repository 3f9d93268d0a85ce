"""Owns the folding of routed events into online states; how states are kept is the store's.

One writer folds each share of the entities. A batch's states are saved once each, then the marker
moves; after a crash in between, folding the same records again changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.errors import UndecodableError
from domain.features import Entity, EntityState, FeatureEvent, entity_keys
from eventlog.port import Position
from eventlog.routing import Routed, decode_routed
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.feature_state import Marker, StateStore
from projections.workers.batches import Batch
from projections.workers.judging import DeadLetter
from projections.workers.rebuilds import Rebuilds

Key = tuple[Entity, str]
# What a fold or an encoding may raise on values that nobody thought of.
_UNFOLDABLE = (ArithmeticError, LookupError, TypeError, ValueError)


@dataclass(slots=True)
class _Work:
    """The entries of one batch by entity, in the order in which they are to be folded."""

    entries: dict[Key, list[tuple[int, int, FeatureEvent]]] = field(default_factory=dict)

    def add(self, routed: Routed) -> None:
        for offset, entities, event in routed.entries:
            keys = entity_keys(event)
            for entity in entities:
                entry = (routed.source, offset, event)
                self.entries.setdefault((entity, keys[entity]), []).append(entry)


class EntityWriter:
    """A BatchHandler of ENTITIES. `most` bounds the states held in memory over all shares."""

    def __init__(
        self, states: StateStore, dead_letter: DeadLetter, rebuilds: Rebuilds, most: int = 20_000
    ) -> None:
        self._states, self._dead_letter, self._rebuilds = states, dead_letter, rebuilds
        self._most = most
        self._held: OrderedDict[Key, EntityState] = OrderedDict()
        self._markers: dict[int, Marker | None] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        found = await asyncio.to_thread(self._states.markers)
        self._held.clear()
        self._markers = {share: found.at.get(share) for share in partitions}
        await self._rebuilds.begin(self._markers, found.rebuilding)
        return {share: marker.next if marker else 0 for share, marker in self._markers.items()}

    async def handle(self, batch: Batch) -> None:
        share = batch.partition
        before = self._markers[share]
        try:
            after = await self._fold(batch, before or Marker())
            await asyncio.to_thread(self._states.mark, share, before, after)
        except BaseException:
            # What is held has been folded and not saved: only the store knows how far it is.
            self._held.clear()
            raise
        self._markers[share] = after
        await self._rebuilds.advance(share, after)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    async def revoke(self, partitions: set[int]) -> None:
        for share in partitions:
            self._markers.pop(share, None)

    async def _fold(self, batch: Batch, before: Marker) -> Marker:
        """Folds and saves; returns the marker that then holds."""
        last, work = dict(before.last), _Work()
        for offset, _, value in batch.records:
            try:
                routed = decode_routed(value or b"")
            except UndecodableError as error:
                place = Position(ENTITIES.name, batch.partition, offset)
                await self._dead_letter(place, value or b"", str(error))
                continue
            if _joins(last, routed):
                work.add(routed)
        await self._load(work)
        changed = []
        for key, entries in work.entries.items():
            try:
                encoded = self._fold_entity(key, entries)
            except _UNFOLDABLE:
                encoded = await self._fold_carefully(key, entries)
            if encoded is not None:
                changed.append((self._held[key], encoded))
        if changed:
            await asyncio.to_thread(self._states.save, changed)
        return Marker(batch.next, last)

    def _fold_entity(self, key: Key, entries: list[tuple[int, int, FeatureEvent]]) -> bytes | None:
        """The bytes of the state, or None where it knew all of this already."""
        state = self._held[key]
        news = [state.fold(source, offset, event) for source, offset, event in entries]
        return state.to_bytes() if any(news) else None

    async def _fold_carefully(
        self, key: Key, entries: list[tuple[int, int, FeatureEvent]]
    ) -> bytes | None:
        """Again from the stored state, setting aside each event that cannot be folded."""
        (state,) = await asyncio.to_thread(self._states.load, [key])
        before = state.version.copy()
        for source, offset, event in entries:
            trial = state.copy()
            try:
                trial.fold(source, offset, event)
                trial.to_bytes()
            except _UNFOLDABLE as error:
                place = Position(TRANSACTIONS.name, source, offset)
                what = f"not foldable into {key[0]} {key[1]!r}: {type(error).__name__}: {error}"
                await self._dead_letter(place, repr(event).encode(), what)
                state.version[source] = max(offset, state.version.get(source, -1))
            else:
                state = trial
        self._held[key] = state
        return state.to_bytes() if state.version != before else None

    async def _load(self, work: _Work) -> None:
        missing = []
        for key in work.entries:
            if key in self._held:
                self._held.move_to_end(key)
            else:
                missing.append(key)
        if missing:
            loaded = await asyncio.to_thread(self._states.load, missing)
            self._held.update(zip(missing, loaded, strict=True))


def _joins(last: dict[int, int], routed: Routed) -> bool:
    """Moves `last` on and says True where the record adds to it without a gap.

    A gap is a record routed before the states were lost; the router, which starts from the
    markers, sends the whole of it again.
    """
    covered = last.get(routed.source, -1)
    if routed.last <= covered or routed.first > covered + 1:
        return False
    last[routed.source] = routed.last
    return True
